"""Short jobs as their users see them: a task goes to a child process, a result or one sentence comes back."""

from __future__ import annotations

import csv
import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from seqdec_gui.domain import document
from seqdec_gui.domain.bindings import Split
from seqdec_gui.domain.decoding import Constraints, Sampling
from seqdec_gui.domain.design import Design
from seqdec_gui.domain.problems import InvalidInput, SeqdecError
from seqdec_gui.runner.import_trimming import UNUSED_PACKAGES
from seqdec_gui.runs.engines import ENGINES
from seqdec_gui.runs.folder import RunFolder
from seqdec_gui.runs.spec import RunSpec
from seqdec_gui.runs.spec import write as write_spec
from seqdec_gui.runs.task_results import Evaluated, Exported, Generated, Inspected
from seqdec_gui.runs.tasks import EvaluateTask, ExportTask, GenerateTask, InspectTask, Notice, run_task
from tests.domain.designs import archetype
from tests.runner import designs

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


UNUSED_WITH_JAX = ENGINES["jax"].unused_packages


def make_run(
    wanted: Design, folder: Path, spread: float = 0.5, edit: Callable[[Design], Design] = lambda design: design
) -> RunFolder:
    """A run folder as the training leaves it, but for weights that are drawn, not learnt; `edit` changes the bound design."""
    from seqdec_gui.data.dataset import open_dataset
    from seqdec_gui.domain.dataflow import data_ports
    from seqdec_gui.runner import checkpoints
    from seqdec_gui.runner.optimizers import make_optimizer
    from seqdec_gui.runner.program import load_build

    run = RunFolder(folder / "run")
    run.path.mkdir()
    file = designs.write_rows(folder)
    made = edit(designs.bound(wanted, file, Split(validation=0.2, test=0.2)))
    open_dataset(made.data, data_ports(made), folder).fitted.save(run.data)
    models = load_build(designs.write_script(made, run.path))()
    random = np.random.default_rng(0)
    models["full"].set_weights([np.abs(random.normal(size=w.shape)) * spread + 0.1 for w in models["full"].get_weights()])
    optimizer = make_optimizer(made.training)
    optimizer.build(models["full"].trainable_variables)
    for name in ("best", "last"):
        checkpoints.save(run.checkpoint(name), models, optimizer, checkpoints.Progress())
    write_spec(RunSpec(design=document.to_builtins(made), folder=str(folder), data_file=str(file)), run.spec)
    return run


@pytest.fixture
def stack_run(tmp_path: Path) -> RunFolder:
    return make_run(designs.stack(), tmp_path)


class Here:
    """Does a task in this process, which has Keras already: for what the child's own start cannot change."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def send(self, line: Any) -> None:
        self.heard.append(line)

    def do(self, task: Any) -> Any:
        from seqdec_gui.runner import task as child

        return child.do(task, self)  # type: ignore[arg-type]


def do(task: Any) -> Any:
    return Here().do(task)


def read_csv(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_export_compares_on_validation_rows(stack_run: RunFolder, tmp_path: Path) -> None:
    result = run_task(ExportTask(run=str(stack_run.path), format="h5", output=str(tmp_path / "part.h5"), part="model_2"))

    assert isinstance(result, Exported)
    assert result.paths == (str(tmp_path / "part.h5"),)
    assert result.rows == 10
    assert result.difference is not None
    assert result.difference <= 1e-5

    import keras

    assert keras.models.load_model(tmp_path / "part.h5", compile=False).name == "model_2"


def test_export_without_the_data_compares_on_random_inputs_and_says_so(stack_run: RunFolder, tmp_path: Path) -> None:
    Path(stack_run.read_spec().data_file).unlink()
    here = Here()
    here.do(ExportTask(run=str(stack_run.path), format="keras", output=str(tmp_path / "full.keras")))
    assert (tmp_path / "full.keras").exists()
    assert any(isinstance(line, Notice) and "random inputs" in line.text for line in here.heard)


def test_an_unknown_part_is_a_sentence_with_those_that_exist(stack_run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no part 'latent'.*full, model_1, model_2"):
        do(ExportTask(run=str(stack_run.path), format="h5", output=str(tmp_path / "a.h5"), part="latent"))
    assert list(tmp_path.glob("*.h5")) == []


def test_generate_reads_rows_from_a_file_and_writes_the_csv(stack_run: RunFolder, tmp_path: Path) -> None:
    rows, output = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_text("latent\n5 1 3\n2 0 1\n7 2 6\n")
    result = run_task(
        GenerateTask(run=str(stack_run.path), input=str(rows), output=str(output), count=2, strategy=Sampling(0.9), seed=7)
    )

    assert isinstance(result, Generated)
    assert result.samples == 6
    header, *found = read_csv(output)
    assert header == ["row", "sample", "text", "log_probability"]
    assert [(row[0], row[1]) for row in found] == [(str(i), str(k)) for i in range(3) for k in range(2)]
    assert all(set(row[2]) <= set(designs.LETTERS) and float(row[3]) < 0 for row in found)
    assert [line[2] for line in result.preview] == [row[2] for row in found]

    given = tuple({"latent": [float(number) for number in line.split()]} for line in rows.read_text().splitlines()[1:])
    do(
        GenerateTask(
            run=str(stack_run.path), rows=given, output=str(tmp_path / "2.csv"), count=2, strategy=Sampling(0.9), seed=7
        )
    )
    assert (tmp_path / "2.csv").read_bytes() == output.read_bytes()


def test_generate_names_the_row_and_the_unknown_symbol_and_goes_on_with_the_others(tmp_path: Path) -> None:
    run = make_run(designs.translation(), tmp_path)
    rows, output = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_text("source\nabc\nabX\n")
    task = GenerateTask(run=str(run.path), input=str(rows), output=str(output))
    result = do(task)
    assert (result.samples, result.refused) == (1, 1)
    good, bad = csv.DictReader(io.StringIO(output.read_text(), newline=""))
    assert (good["row"], good["problem"]) == ("0", "")
    assert (bad["row"], bad["text"]) == ("1", "")
    assert "Symbol 'X' is not in the charset 'abcdefg'" in bad["problem"]
    output.unlink()
    rows.write_text("source\nabX\n")
    with pytest.raises(InvalidInput, match=r"[Ss]ymbol 'X' is not in the charset 'abcdefg'"):
        do(task)
    assert not output.exists()


def test_generate_says_why_widths_that_differ_cannot(tmp_path: Path) -> None:
    wanted = archetype(output_units=22)
    run = make_run(
        wanted.with_parameters("latent", msgspec.structs.replace(wanted.block("latent").parameters, width=3)), tmp_path
    )
    with pytest.raises(InvalidInput, match=r"takes 44 symbols per step .* predicts 22"):
        do(GenerateTask(run=str(run.path), rows=({"latent": [1, 2, 3]},), output=str(tmp_path / "out.csv")))


def test_a_language_model_generates_from_nothing(tmp_path: Path) -> None:
    run = make_run(designs.language(), tmp_path)
    output = tmp_path / "out.csv"
    result = do(GenerateTask(run=str(run.path), output=str(output), count=50, strategy=Sampling(1.0)))

    assert isinstance(result, Generated)
    assert [row[:2] for row in read_csv(output)[1:]] == [["0", str(k)] for k in range(50)]


@pytest.mark.parametrize("wanted", [designs.stack, designs.variational], ids=["stack", "two losses and a KL term"])
def test_evaluate_gives_the_metrics_that_numpy_gives(wanted: Callable[[], Design], tmp_path: Path) -> None:
    run = make_run(wanted(), tmp_path, spread=0.2)
    other = designs.write_rows(tmp_path, count=37, seed=4)
    result = do(EvaluateTask(run=str(run.path), data=str(other)))

    assert isinstance(result, Evaluated)
    assert result.rows == 37

    from seqdec_gui.data.tensor_feeds import expand
    from seqdec_gui.runner.opened_run import open_trained
    from seqdec_gui.runner.reopen import predictions

    trained = open_trained(run.path, "best", tmp_path)
    dataset = trained.dataset(other)
    batch = dataset.batch(np.arange(37))
    found = {feed.name: expand(feed, batch[feed.array]) for feed in dataset.feeds}
    full = trained.models["full"]
    p = predictions(full, [found[tensor.name] for tensor in full.inputs])[0].astype(np.float64)
    judged = trained.program.losses[0].name
    targets = found[judged]
    valid = targets != 0
    chosen = -np.log(np.take_along_axis(p, targets[..., None], -1)[..., 0])
    loss = chosen[valid].sum() / valid.sum()
    right = p.argmax(-1) == targets
    several = len(trained.program.losses) > 1
    prefix = f"{judged}_" if several else ""
    assert result.metrics[f"{judged}_loss" if several else "loss"] == pytest.approx(loss, abs=1e-5)
    assert result.metrics[f"{prefix}token_accuracy"] == pytest.approx(right[valid].mean(), abs=1e-6)
    assert result.metrics[f"{prefix}exact_accuracy"] == pytest.approx((right | ~valid).all(axis=1).mean(), abs=1e-6)


def test_evaluate_without_a_file_takes_the_rows_kept_apart(stack_run: RunFolder) -> None:
    result = do(EvaluateTask(run=str(stack_run.path), data=""))
    assert isinstance(result, Evaluated)
    assert result.rows == 10


def test_another_file_is_evaluated_whole_and_needs_no_column_of_the_split(tmp_path: Path) -> None:
    run = make_run(designs.stack(), tmp_path)
    spec = run.read_spec()
    design = spec.load_design()
    split = design.with_data(msgspec.structs.replace(design.data, split=Split(kind="column", column="part")))
    write_spec(msgspec.structs.replace(spec, design=document.to_builtins(split)), run.spec)
    result = do(EvaluateTask(run=str(run.path), data=str(designs.write_rows(tmp_path, count=11, seed=4))))
    assert result.rows == 11


@pytest.mark.parametrize(("split", "rows"), [("training", 30), ("validation", 10), ("test", 10)])
def test_each_part_of_the_run_s_own_rows_is_evaluated(stack_run: RunFolder, split: Any, rows: int) -> None:
    assert do(EvaluateTask(run=str(stack_run.path), split=split, trained_on=30)).rows == rows


def test_rows_that_are_no_longer_told_apart_are_not_taken_for_test_rows(stack_run: RunFolder, tmp_path: Path) -> None:
    for task in (
        EvaluateTask(run=str(stack_run.path), trained_on=29),
        GenerateTask(run=str(stack_run.path), split="test", trained_on=29, output=str(tmp_path / "out.csv")),
    ):
        with pytest.raises(InvalidInput, match="trained on 29 rows, and its data would now give 30"):
            do(task)
    assert not (tmp_path / "out.csv").exists()


def test_a_run_without_test_rows_says_what_it_has(tmp_path: Path) -> None:
    run = make_run(designs.stack(), tmp_path)
    spec = run.read_spec()
    design = spec.load_design()
    split = design.with_data(msgspec.structs.replace(design.data, split=Split(validation=0.2)))
    write_spec(msgspec.structs.replace(spec, design=document.to_builtins(split)), run.spec)
    with pytest.raises(InvalidInput, match="no test rows; it has 40 for training, 10 for validation"):
        do(EvaluateTask(run=str(run.path)))


def test_generate_decodes_the_test_rows_under_their_numbers_in_the_file(stack_run: RunFolder, tmp_path: Path) -> None:
    from seqdec_gui.runner.opened_run import open_trained

    test = open_trained(stack_run.path, "best", tmp_path).dataset().test
    every = tuple({"latent": row.tolist()} for row in designs.rows()["vector"])
    options: Any = {"count": 2, "strategy": Sampling(0.9), "seed": 7}
    do(GenerateTask(run=str(stack_run.path), split="test", output=str(tmp_path / "test.csv"), **options))
    do(GenerateTask(run=str(stack_run.path), rows=every, output=str(tmp_path / "all.csv"), **options))

    wanted = [row for row in read_csv(tmp_path / "all.csv")[1:] if int(row[0]) in test]
    found = read_csv(tmp_path / "test.csv")[1:]
    assert [row[:3] for row in found] == [row[:3] for row in wanted]
    assert len(found) == 20


def test_a_missing_run_and_a_damaged_checkpoint_are_sentences(stack_run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Expected a run folder"):
        do(EvaluateTask(run=str(tmp_path / "nowhere"), data=""))
    stack_run.checkpoint("best").write_bytes(b"not HDF5")
    with pytest.raises(InvalidInput, match=r"is damaged: it does not begin .* Use the other one: --checkpoint last"):
        do(EvaluateTask(run=str(stack_run.path), data=""))


def test_a_full_disk_and_a_missing_folder_are_sentences(stack_run: RunFolder, tmp_path: Path) -> None:
    from seqdec_gui.runner import sample_file

    with pytest.raises(InvalidInput, match=r"The folder .*nowhere does not exist"):
        do(GenerateTask(run=str(stack_run.path), rows=({"latent": [1, 2, 3]},), output=str(tmp_path / "nowhere" / "out.csv")))

    def parts() -> Iterator[Any]:
        yield []
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(SeqdecError, match=r"out\.csv could not be written: No space left on device .*; make room"):
        sample_file.write_samples(tmp_path / "out.csv", parts())
    assert [path for path in tmp_path.iterdir() if "out.csv" in path.name] == []


def test_what_the_child_cannot_read_is_a_sentence() -> None:
    with pytest.raises(InvalidInput, match=r"cannot become a block: there is no such file in .*Correct the path"):
        run_task(InspectTask(path="/nowhere/model.keras"))


def test_what_keras_imports_for_others_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    imported = tmp_path / "imported"
    for name in (*UNUSED_PACKAGES, *UNUSED_WITH_JAX):
        (tmp_path / f"{name}.py").write_text(f"open({str(imported)!r}, 'a').write('{name} ')\nraise ImportError")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    subprocess.run([sys.executable, "-c", "import keras"], check=True, env=os.environ | {"KERAS_BACKEND": "numpy"})
    assert set(imported.read_text().split()) == {*UNUSED_PACKAGES, *UNUSED_WITH_JAX}  # or nothing is gained by leaving them out

    imported.unlink()
    inputs = keras.Input((3,))
    keras.Model(inputs, keras.layers.Dense(2)(inputs)).save(tmp_path / "a.keras")
    task = InspectTask(path=str(tmp_path / "a.keras"))
    assert isinstance(run_task(task, engine="jax"), Inspected)
    assert not imported.exists()
    for name in UNUSED_WITH_JAX:
        (tmp_path / f"{name}.py").unlink()  # TensorFlow wants the real one
    assert isinstance(run_task(task), Inspected)
    assert not imported.exists()


def test_inspect_tells_a_block_all_it_needs(tmp_path: Path) -> None:
    import keras

    tokens = keras.Input((6,), dtype="int32", name="tokens")
    vector = keras.Input((3,), name="my vector")
    x = keras.layers.Embedding(5, 4, name="embedding")(tokens)
    inner = keras.Sequential([keras.Input((6, 4)), keras.layers.LSTM(2, name="lstm")], name="inner")
    joined = keras.layers.Concatenate(name="joined")([inner(x), vector])
    model = keras.Model([tokens, vector], [keras.layers.Dense(2, name="a")(joined), joined], name="mine")
    model.get_layer("embedding").trainable = False
    model.save(tmp_path / "mine.keras")
    result = do(InspectTask(path=str(tmp_path / "mine.keras")))

    assert isinstance(result, Inspected)
    assert [(tensor.name, tensor.shape, tensor.dtype) for tensor in result.inputs] == [
        ("tokens", (6,), "int32"),
        ("my_vector", (3,), "float32"),
    ]
    assert [tensor.shape for tensor in result.outputs] == [(2,), (5,)]
    assert len({tensor.name for tensor in result.outputs}) == 2
    assert result.parameters == model.count_params()
    assert result.trainable == model.count_params() - 20
    assert {"lstm", "inner", "embedding", "a"} <= {layer.name for layer in result.layers}
    assert len(result.sha256) == 64


def test_a_language_model_answers_every_line_of_its_prefixes(tmp_path: Path) -> None:
    run = make_run(designs.language(), tmp_path)
    (tmp_path / "in.csv").write_text("start\nab\n\n\n")
    told = Constraints(prefix_column="start")
    task = GenerateTask(run=str(run.path), input=str(tmp_path / "in.csv"), output=str(tmp_path / "out.csv"), constraints=told)
    assert do(task).samples == 3  # type: ignore[union-attr]
    rows = read_csv(tmp_path / "out.csv")
    assert [row[0] for row in rows[1:]] == ["0", "1", "2"]
    assert rows[1][2].startswith("ab")
