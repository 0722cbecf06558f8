"""Metrics in words: the blocks of a design may be called anything, also `loss`."""

import pytest

from seqdec_gui.runs.metric_words import in_words


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("loss", "loss"),
        ("val_loss", "val loss"),
        ("token_accuracy", "token acc."),
        ("val_exact_accuracy", "val exact acc."),
        ("samples_per_s", "samples/s"),
        ("reconstruction_loss", "reconstruction loss"),
        ("loss_loss", "loss alone"),
        ("val_loss_loss", "val loss alone"),
        ("loss_2_loss", "loss 2"),
        ("char_loss_loss", "char loss"),
        ("loss_token_accuracy", "loss token acc."),
        ("code_kl", "code kl"),
    ],
)
def test_no_metric_says_loss_twice(metric: str, words: str) -> None:
    assert in_words(metric) == words
