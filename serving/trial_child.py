"""Does a model load and answer within the limits of this process?

Runs as ``python -P trial_child.py``, a process of its own: a model that eats memory, never ends or
crashes its reader ends this process and not the service. Reads one line of JSON, then the model's
bytes, from stdin; writes one line to stdout: ``ok``, or what is wrong. It imports numpy and
onnxruntime only, so that it starts in a quarter of a second.
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

ROWS = (1, 256)
"""Rows the model must answer for at once: intermediate tensors grow with them."""


def main() -> int:
    """Try the model on stdin; the exit code is 0 whenever there is a verdict."""
    limits = json.loads(sys.stdin.buffer.readline())
    import numpy as np
    import onnxruntime

    model = sys.stdin.buffer.read()
    _limit(limits["memory_bytes"], limits["cpu_s"])
    try:
        session = onnxruntime.InferenceSession(
            model, _options(onnxruntime), providers=["CPUExecutionProvider"]
        )
        first = session.get_inputs()[0]
        for rows in ROWS:
            if first.type == "tensor(double)" and len(first.shape) == 2:
                session.run(None, {first.name: np.zeros((rows, int(first.shape[1])))})
    except MemoryError:
        verdict = "it asks for more memory than the limit"
    except Exception as error:  # noqa: BLE001 - whatever a model raises is the verdict
        verdict = str(error).partition("\n")[0][:300] or type(error).__name__
        if "bad_alloc" in verdict or "Failed to allocate memory" in verdict:
            verdict = "it asks for more memory than the limit"
    else:
        verdict = "ok"
    print(verdict, flush=True)  # noqa: T201 - the answer to the process that asked
    os._exit(0)  # what a hostile model left behind is not taken apart


def _limit(memory_bytes: int, cpu_s: int) -> None:
    """Bound this process, and offer it first where the machine runs out of memory."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))  # a signal that tells itself apart
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    score = Path("/proc/self/oom_score_adj")
    if score.exists():  # Linux
        score.write_text("1000", encoding="ascii")


def _options(onnxruntime: Any) -> Any:
    """Return the options with which the service will open the model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    return options


if __name__ == "__main__":
    sys.exit(main())
