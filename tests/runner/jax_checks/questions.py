"""What a probe asks the engine about kernels."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from seqdec_gui.runner.engines.jax.engine import count_cudnn_calls
from seqdec_gui.runs.spec import DeviceChoice
from tests.runner.jax_checks.engines import made, some_rows

CALLS_CUDNN = "jax.experimental.rnn"


def forward_calls_of_cudnn_are_counted_in_compiled_text(_: Path) -> None:
    hlo = """
      %a = (f32[2]) custom-call(%x), custom_call_target="cudnn_rnn_ffi", api_version=API_VERSION_TYPED_FFI
      %b = (f32[2]) custom-call(%x), custom_call_target="cudnn_rnn_bwd_ffi"
      %c = (f32[2]) custom-call(%x), custom_call_target="__cublas$gemm"
      %d = (f32[2]) custom-call(%x), custom_call_target="__cudnn$convForward"
      %e = (f32[2]) custom-call(%x), custom_call_target="cudnn_rnn"
    """
    assert count_cudnn_calls(hlo) == 2


def a_compiled_step_is_read_only_where_somebody_may_have_called_cudnn(folder: Path) -> None:
    import numpy as np

    there, dataset = made("stack", folder, 2)
    rows = some_rows(dataset, 2)
    given = rows, np.full(2, 1e-3, "float32"), np.zeros((2, 0), "float32")
    there.train(*given)
    assert there.cudnn_layers(*given) == 0
    there.devices = DeviceChoice("gpu", gpus=(0, 1))
    assert CALLS_CUDNN not in sys.modules
    with patch.object(there, "_compiled_text", lambda *_: 'custom_call_target="cudnn_rnn_ffi"'):
        assert there.cudnn_layers(*given) == 0
        with patch.dict(sys.modules, {CALLS_CUDNN: SimpleNamespace()}):
            assert there.cudnn_layers(*given) == 1
    with patch.dict(sys.modules, {CALLS_CUDNN: SimpleNamespace()}):
        assert there.cudnn_layers(*given) == 0  # the real text, which was compiled for a CPU
