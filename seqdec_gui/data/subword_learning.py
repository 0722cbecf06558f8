"""Learns a vocabulary of subwords: `python -m seqdec_gui.data.subword_learning` reads what is wanted and writes the vocabulary.

BPE is learned by `tokenizers`, whose result depends on its texts alone. Its unigram models differ from run to run, so these are
learned by `sentencepiece`, in one thread.
"""

from __future__ import annotations

import io
import sys
from collections import Counter
from itertools import groupby

import msgspec

from seqdec_gui.data.subwords import CHUNKS, LONGEST_PIECE, UNKNOWN, Subwords, Vocabulary, Wanted, cut

_SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
"""What sentencepiece writes for a space."""
_RARER = 10.0
"""How much less likely, as a logarithm, a character is than the rarest piece that was learned, if it was not learned itself."""
_SEEDS = 100_000
"""The number of pieces that a unigram model begins with: ten times fewer than by default, in a third of the time."""


def learned(wanted: Wanted) -> tuple[tuple[str, ...], Subwords]:
    """Return the pieces without UNKNOWN, and the model that cuts texts into them."""
    return _bpe(wanted) if wanted.kind == "bpe" else _unigram(wanted)


def _bpe(wanted: Wanted) -> tuple[tuple[str, ...], Subwords]:
    """Join the most frequent pair of neighbours, again and again (Sennrich et al., 2016, https://arxiv.org/abs/1508.07909)."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(CHUNKS), "isolated")
    trainer = trainers.BpeTrainer(
        vocab_size=wanted.pieces, min_frequency=wanted.least, show_progress=False, special_tokens=[],
        initial_alphabet=list(wanted.characters), max_token_length=LONGEST_PIECE,
    )  # fmt: skip
    tokenizer.train_from_iterator(_parts(wanted), trainer)
    model = msgspec.json.decode(tokenizer.to_str())["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
    merges = tuple((first, second) for first, second in model["merges"])
    return tuple(pieces), Subwords(merges=merges)


def _unigram(wanted: Wanted) -> tuple[tuple[str, ...], Subwords]:
    """Fit a unigram language model of pieces (Kudo, 2018, https://arxiv.org/abs/1804.10959)."""
    import sentencepiece

    texts = [text for text in _parts(wanted) if text.strip()]
    found: dict[str, float] = {}
    if texts and len(wanted.characters) < wanted.pieces:
        content = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts), model_writer=content, model_type="unigram", vocab_size=wanted.pieces + 1,
            hard_vocab_limit=False, character_coverage=1.0, normalization_rule_name="identity", remove_extra_whitespaces=False,
            add_dummy_prefix=False, split_by_number=False, split_by_unicode_script=False, bos_id=-1, eos_id=-1, pad_id=-1,
            num_threads=1, minloglevel=2, max_sentence_length=2**30, seed_sentencepiece_size=_SEEDS,
            max_sentencepiece_length=LONGEST_PIECE,
        )  # fmt: skip
        model = sentencepiece.SentencePieceProcessor(model_proto=content.getvalue())
        named = ((model.id_to_piece(number).replace(_SPACE, " "), number) for number in range(model.get_piece_size()))
        found = {piece: model.get_score(number) for piece, number in named if not model.is_unknown(number)}
    least = min(found.values(), default=0.0) - _RARER
    found |= {character: least for character in wanted.characters if character not in found}
    pieces = _frequent(found, texts, wanted)
    return pieces, Subwords(scores=(0.0, *(found[piece] for piece in pieces)))


def _frequent(found: dict[str, float], texts: list[str], wanted: Wanted) -> tuple[str, ...]:
    """Return the pieces that occur often enough in the texts, at most as many as wanted; characters always, and first."""
    import pyarrow as pa

    characters = wanted.characters
    longer = sorted((piece for piece in found if len(piece) > 1), key=lambda piece: (-found[piece], piece))
    everything = (UNKNOWN, *characters, *longer)
    scores = (0.0, *(found[piece] for piece in everything[1:]))
    keys, _, names = cut(pa.array(texts, pa.large_string()), Vocabulary("unigram", everything, Subwords(scores=scores)))
    times = Counter(names[key] for key in keys.tolist())
    kept = [piece for piece in longer if times[piece] >= wanted.least]
    return (*characters, *kept[: max(0, wanted.pieces - len(characters))])


def _parts(wanted: Wanted) -> list[str]:
    """Return the parts of the texts between characters that are not to be known."""
    known, parts = set(wanted.characters), list[str]()
    for text in wanted.texts:
        if known.issuperset(text):
            parts.append(text)
        else:
            for alike, letters in groupby(text, known.__contains__):
                parts += ["".join(letters)] if alike else []
    return parts


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(learned(msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted))))
