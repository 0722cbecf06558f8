import pytest

from seqdec_gui.runs.crash import explain, log_tail


@pytest.mark.parametrize(
    ("status", "log", "kind", "words"),
    [
        (
            1,
            "ResourceExhaustedError: OOM when allocating tensor on /device:GPU:0 by GPU_0_bfc",
            "out_of_memory",
            "GPU",
        ),
        (1, "XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 12 bytes", "out_of_memory", "GPU"),
        (1, "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 3 GiB for an array", "out_of_memory", "Main memory"),
        (-6, "terminate called after throwing an instance of 'std::bad_alloc'", "out_of_memory", "Main memory"),
        (-9, "all was well", "killed", "main memory ran out"),
        (-15, "", "killed", "SIGTERM"),
        (-11, "", "crashed", "SIGSEGV"),
        (None, "Fatal Python error: Segmentation fault\n\nCurrent thread", "crashed", "Segmentation fault"),
        (1, "OSError: [Errno 28] No space left on device", "disk_full", "disk is full"),
        (
            1,
            "F1127 22:28:05.5 7041 parse_flags_from_env.cc:234] Unknown flags in XLA_FLAGS: --xla_foo=1 --xla_bar",
            "invalid",
            "does not know --xla_foo=1 --xla_bar: remove",
        ),
        (
            1,
            "WARNING: All log messages before absl::InitializeLog() is called are written\nI0000 00:00:17.1 1 x.cc:2] on",
            "crashed",
            "exit status 1 without saying why. Its log says nothing of it",
        ),
        (
            1,
            "the reason\n2026-11-30 00:00:01.000001: I tensorflow/core/platform/x.cc:210] This binary is optimized\n"
            "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow",
            "crashed",
            "Its log ends with: the reason",
        ),
        (1, "ImportError: libx.so: failed to map segment from shared object", "out_of_memory", "Main memory"),
        (0, "", "crashed", "its last event is missing"),
        (3, "one\ntwo\n\n", "crashed", "exit status 3 without saying why. Its log ends with: two"),
        (None, "", "crashed", "Its log is empty"),
        (-200, "", "crashed", "signal 200"),
    ],
)
def test_the_cause_is_said_in_plain_words(status, log, kind, words):
    failed = explain(status, log)
    assert failed.kind == kind
    assert words in failed.sentence
    assert "\n" not in failed.sentence


def test_details_are_the_last_lines():
    assert explain(1, "\n".join(map(str, range(100)))).details.splitlines() == [str(number) for number in range(80, 100)]


def test_the_log_of_an_earlier_start_is_not_read(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("MemoryError\nnew")
    assert log_tail(path, len("MemoryError\n")) == "new"
    assert log_tail(path, 999) == "MemoryError\nnew"
    path.write_text("x" * 200_000)
    assert len(log_tail(path)) == 65536
    assert log_tail(tmp_path / "none") == ""


def test_a_kill_by_the_system_is_told_from_one_by_a_user():
    starved, killed = explain(-9, "", out_of_memory=True), explain(-9, "")
    assert (starved.kind, killed.kind) == ("out_of_memory", "killed")
    assert starved.sentence.startswith("The system killed the run. Main memory ran out")
    assert explain(-15, "", out_of_memory=True).kind == "killed"
