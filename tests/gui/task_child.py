"""Stands in for the child of short jobs: the real channel, no Keras. argv: MODE. Modes: do, refuse, slow, differ.

`do` answers with results made from the task itself, so that a test sees what it was asked for; the task is written to the file
that TASK_CHILD_RECORD names.
"""

import csv
import json
import os
import sys
import time
from pathlib import Path

import msgspec
import numpy as np

from seqdec_gui.domain.problems import Problem
from seqdec_gui.domain.scaling import Scaling
from seqdec_gui.runs.attention import AttentionMap, RowAttention, write_attention
from seqdec_gui.runs.format_result import FormatResult
from seqdec_gui.runs.model_description import ArrayDescription, LayerDescription
from seqdec_gui.runs.task_results import (
    Attended,
    Encoded,
    ErrorsFound,
    Exported,
    ExportedAll,
    Generated,
    Inspected,
    PriorOpened,
    Scored,
    TaskFailed,
)
from seqdec_gui.runs.tasks import (
    AttentionTask,
    EncodeTask,
    ErrorsTask,
    ExportAllTask,
    ExportTask,
    GenerateTask,
    Notice,
    PriorTask,
    Progress,
    ScoreTask,
    TaskChannel,
)

mode = sys.argv[1]
channel = TaskChannel()
task = channel.read_task()
if "TASK_CHILD_RECORD" in os.environ:
    Path(os.environ["TASK_CHILD_RECORD"]).write_bytes(msgspec.json.encode(task))
channel.send(Progress(done=1, total=3, text="Working"))
if mode == "slow":
    time.sleep(60)
elif mode == "refuse":
    if isinstance(task, GenerateTask):
        problem = Problem(
            "error", "cannot_generate", "model_2", "model_2 cannot generate: it takes 44 symbols per step and predicts 22."
        )
    elif isinstance(task, ExportTask) and task.format == "h5":
        problem = Problem("error", "not_in_h5", "", "A .h5 file cannot carry full.", "Export as .keras.")
    elif isinstance(task, ExportTask):
        channel.send(Exported(paths=(task.output,), difference=0.0, rows=64))
        sys.exit()
    else:
        problem = Problem("error", "unusable", "file", "bad.h5 cannot become a block: it holds no model.", "Save the model.")
    channel.send(TaskFailed(sentence="", problems=(problem,), exit_status=2))
elif isinstance(task, AttentionTask):
    ((row, text),) = task.given
    targets = (*text[:12], "<end>")
    heads = [np.random.default_rng(head).dirichlet([0.3, 0.5, 2.0], len(targets)).round(6).tolist() for head in range(2)]
    maps = (
        AttentionMap("encoder", "Self_Attention_0", "encoder", True, ("1", "2"), ("1", "2"), (((0.5, 0.5), (0.1, 0.9)),)),
        AttentionMap("decoder", "Cross_Attention_0", "source", False, targets, ("2", "1", "<end>"), tuple(heads)),
    )
    write_attention([RowAttention(row, text, maps)], Path(task.output))
    channel.send(Attended(path=task.output, rows=1, maps=tuple((each.title, each.heads) for each in maps)))
elif isinstance(task, EncodeTask):
    numbers = np.arange(len(task.rows))
    codes = np.stack([np.cos(numbers), np.sin(numbers), 0 * numbers], axis=1).astype(np.float32)
    np.savez(task.output, codes=codes, row=numbers)
    channel.send(Encoded(path=task.output, rows=len(codes), width=3, ports=("encoder.code",)))
elif isinstance(task, GenerateTask) and task.codes:
    with np.load(task.codes) as given, Path(task.output).open("w", encoding="utf-8", newline="") as file:
        made = csv.writer(file, lineterminator="\n")
        made.writerow(("row", "sample", "text", "log_probability", "code_row"))
        for row, (code, of) in enumerate(zip(given["codes"], given["row"], strict=True)):
            made.writerow((row, 0, " ".join(f"{number:.3f}" for number in code), "-1.000000", of))
    channel.send(Generated(path=task.output, samples=row + 1))
elif isinstance(task, GenerateTask):
    rows = task.rows or ({"file": task.input},)
    if task.count == 3:
        channel.send(Notice(text="1 row had fewer than 3 different samples.", severity="warning"))
    with Path(task.output).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("row", "sample", "text", "log_probability"))
        if task.keep:  # a file of rows, whose second cannot be decoded
            file.seek(0)
            with Path(task.input).open(encoding="utf-8", newline="") as given:
                lines = list(csv.DictReader(given))
            writer.writerow(("row", "sample", "text", "log_probability", "finished", *task.keep, "problem"))
            for row, values in enumerate(lines):
                made = (row, "", "", "", "") if row == 1 else (row, 0, "text", "-1.5", 1)
                writer.writerow((*made, *(values[name] for name in task.keep), "It is empty." if row == 1 else ""))
            rows = ()
        if task.properties:
            file.seek(0)
            writer.writerow(("row", "sample", "text", "log_probability", "finished", "generated_logP", "wanted_logP"))
            for row, text in enumerate(("CCO", "CCN", "C1C")):
                writer.writerow((row, 0, text, -row - 1.0, 1, "" if text == "C1C" else 0.5 * row, row))
            rows = ()
        for row, values in enumerate(rows):
            for sample in range(task.count):
                writer.writerow((row, sample, json.dumps(values), f"{-row - sample / 8:.6f}"))
    channel.send(Progress(done=3, total=3))
    channel.send(Generated(path=task.output, samples=len(rows) * task.count))
elif isinstance(task, ScoreTask) and task.given:
    (given,) = task.given
    if given[1] == "refused":
        line = {"row": given[0], "text": None, "log_probability": None, "symbols": None, "problem": "It has a Z."}
    else:
        steps = [
            {"chosen": letter, "probability": 0.75, "candidates": [{"symbol": letter, "probability": 0.75}]}
            for letter in given[1]
        ]
        line = {"row": given[0], "text": given[1], "log_probability": -1.0, "symbols": 1, "candidates": steps}
    Path(task.output).write_text(json.dumps(line) + "\n", "utf-8")
    channel.send(Scored(path=task.output, rows=1, symbols=1, log_probability=-1.0))
elif isinstance(task, ScoreTask):
    told = task.rows or ({"number": "7", "decoder_inputs": "VII"},)
    with Path(task.output).open("w", encoding="utf-8") as file:
        for row, values in enumerate(told):
            text = list(values.values())[-1]
            logs = [-0.125 * (place + 1) for place in range(len(text) + 1)]
            line = {"row": row, "text": text, "log_probability": sum(logs), "symbols": len(logs)}
            lists = {"symbol_texts": [*text, ""], "symbol_log_probabilities": logs}
            if task.against:
                lists |= {"log_probability_against": sum(logs) - 1.0, "difference": 1.0}
            file.write(json.dumps(line | lists | {"problem": ""}) + "\n")
        refused = dict.fromkeys((*line, *lists)) | {"row": len(told), "problem": "It is empty."}
        file.write(json.dumps(refused) + "\n")
    compared = {"compared": len(told), "compared_log_probability": -5.0, "against_log_probability": -5.0 - len(told)}
    more = compared if task.against else {}
    channel.send(Scored(path=task.output, rows=len(told), symbols=10, log_probability=-5.0, refused=1, **more))
elif isinstance(task, ExportAllTask):
    results = [
        FormatResult(format=name, paths=(f"{task.folder}/{task.part}.x",), difference=2.5e-7, rows=64, bytes=123_456)
        for name in task.formats
    ]
    results[-1] = FormatResult(format=task.formats[-1], sentence="It cannot carry full.", limit=True)
    channel.send(ExportedAll(results=tuple(results)))
elif isinstance(task, ExportTask):
    Path(task.output).write_bytes(b"exported")
    channel.send(Notice(text="The data of the run cannot be read.", severity="warning"))
    scaling = () if task.raw_inputs else (Scaling("latent", "input", (1.5,), (0.5,)),)
    channel.send(Exported(paths=(task.output,), difference=2.5e-7, rows=64, standardised=scaling))
elif isinstance(task, ErrorsTask):
    from seqdec_gui.runs.files import pretty_json
    from seqdec_gui.runs.quality.errors import Candidate, Pair, StepChoice, errors_of

    texts = [("XIV", "XIV"), ("XIV", "XVV"), ("MIX", "MX"), ("LIV", "LIV")]
    pairs = [Pair(row, str(row), target, made, target, made, -row - 1.0, -0.5) for row, (target, made) in enumerate(texts)]
    errors = errors_of(pairs, task.split, "character error rate", "CER", task.order)
    steps = {
        each.row: tuple(
            StepChoice(letter, 0.75, (Candidate(letter, 0.75), Candidate("<end>", 0.25))) for letter in each.generated
        )
        for each in errors.worst
    }
    worst = tuple(msgspec.structs.replace(each, steps=steps[each.row]) for each in errors.worst)
    Path(task.output).write_bytes(pretty_json(msgspec.structs.replace(errors, worst=worst)))
    channel.send(
        ErrorsFound(
            paths=(task.output,), rows=4, exact=2, error_rate=errors.error_rate, rate=errors.rate, short=errors.short,
            substitutions=1, insertions=0, deletions=1,
        )
    )  # fmt: skip
elif isinstance(task, PriorTask):
    from seqdec_gui.domain.bindings import Binding, DataSource, TextCodec
    from seqdec_gui.domain.design import Block, BlockWeights, Design, Link, Port
    from seqdec_gui.domain.document import to_builtins
    from seqdec_gui.domain.kinds.inputs import TokenSequence
    from seqdec_gui.domain.kinds.recurrent_decoder import RecurrentDecoder

    codec = TextCodec(tokens="smiles", charset=("C", "N"), marks="begin")
    decoder = RecurrentDecoder(mode="free_running", units=(4,), embedding=3, batch_normalization=False, output_units=4)
    made = Design(
        (
            Block("smiles", TokenSequence(length=None, symbols=4, encoding="ids")),
            Block("decoder", decoder, (300.0, 0.0), BlockWeights(f"{task.folder}/a.weights.h5", "decoder")),
        ),
        (Link(Port("smiles", "output"), Port("decoder", "inputs")),),
        DataSource().with_bindings((Binding("smiles.output", "SMILES", codec),)),
    )
    channel.send(PriorOpened(design=to_builtins(made), block="decoder", tokens=4, parameters=160))
else:
    channel.send(
        Inspected(
            name="stack",
            inputs=(ArrayDescription("latent", (11,), "float32"), ArrayDescription("ids", (None,), "int32")),
            outputs=(ArrayDescription("probabilities", (33, 22), "float32"),),
            layers=(LayerDescription("dense", "Dense", 120),),
            parameters=120,
            trainable=100,
            sha256="ab" * 32,
        )
    )
