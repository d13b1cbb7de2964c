"""What does an ONNX model answer for encoded rows?

One place opens sessions, so the parity gate, evaluation and serving run a model the same way.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as _ort

from modelwarrant.errors import BundleError

__all__ = ["INPUT", "OUTPUT", "Scorer"]

INPUT = "rows"
"""The graph's one input: double [None, d]."""

OUTPUT = "scores"
"""The graph's one output: double [None, k]."""

_CHUNK_ROWS = 4096
"""Rows a run: bounds the memory of intermediate tensors (a forest's leaves by class)."""

_SILENT = 4
"""onnxruntime logs only what ends the process; everything else is raised as an error."""

_ORT_ERRORS = (
    _ort.EPFail,
    _ort.Fail,
    _ort.InvalidArgument,
    _ort.InvalidGraph,
    _ort.InvalidProtobuf,
    _ort.NoSuchFile,
    _ort.NotImplemented,
    _ort.RuntimeException,
)


class Scorer:
    """A session over one model, checked for the bundle's contract and warmed up.

    Args:
        model: bytes of ``model.onnx``.
        n_features: columns the schema declares.
        n_scores: classes the schema declares, 1 for regression.
        name: the file, for error messages.

    Raises:
        BundleError: the bytes are no ONNX model, refer to files beside them, have other inputs or
            outputs than the contract says, or cannot answer.
    """

    def __init__(self, model: bytes, *, n_features: int, n_scores: int, name: str) -> None:
        self._name = name
        self._n_scores = n_scores
        self._session = _session(model, name)
        self._check_interface(n_features)
        # A wrong feature id or operator shows only when the graph runs.
        self.scores(np.zeros((1, n_features)))

    def scores(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the answers for encoded rows.

        Args:
            rows: (n, d) float64, encoded as ``modelwarrant.bundle`` says.

        Returns:
            (n, k) float64.

        Raises:
            BundleError: the graph failed, or answered with another shape.
        """
        rows = np.ascontiguousarray(rows, dtype=np.float64)
        if len(rows) <= _CHUNK_ROWS:
            return self._run(rows) if len(rows) else np.empty((0, self._n_scores))
        starts = range(0, len(rows), _CHUNK_ROWS)
        return np.concatenate([self._run(rows[start : start + _CHUNK_ROWS]) for start in starts])

    def _run(self, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        try:
            scores: npt.NDArray[np.float64] = self._session.run([OUTPUT], {INPUT: rows})[0]
        except _ORT_ERRORS as error:
            raise BundleError(f"{self._name}: the model cannot answer: {_first(error)}") from error
        if scores.shape != (len(rows), self._n_scores):
            raise BundleError(
                f"{self._name}: the model answers with shape {scores.shape} for {len(rows)} rows; "
                f"its schema asks for {self._n_scores} scores a row"
            )
        return scores

    def _check_interface(self, n_features: int) -> None:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        read = [(value.name, value.type, value.shape[1:]) for value in inputs]
        given = [(value.name, value.type) for value in outputs]
        if read != [(INPUT, "tensor(double)", [n_features])]:
            raise BundleError(
                f"{self._name}: the model reads {read}; a bundle reads "
                f"{[(INPUT, 'tensor(double)', [n_features])]}"
            )
        if given != [(OUTPUT, "tensor(double)")]:
            raise BundleError(
                f"{self._name}: the model gives {given}; a bundle gives "
                f"{[(OUTPUT, 'tensor(double)')]}"
            )


def _session(model: bytes, name: str) -> onnxruntime.InferenceSession:
    # ONNX names a file beside the model under the key "location", and protobuf keeps a string in
    # one piece: bytes without the word cannot refer to a file. No model written here holds it.
    if b"location" in model:
        raise BundleError(f"{name}: the model refers to data outside its file; store it inside")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # as fast, and gives a large request's memory back
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = _SILENT
    try:
        with _source(model) as source:
            return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except _ORT_ERRORS as error:
        raise BundleError(f"{name}: not a model that can be loaded: {_first(error)}") from error


@contextmanager
def _source(model: bytes) -> Iterator[str | bytes]:
    """Yield what a session is made from: where it can be, a file in memory that nobody else has.

    A session in Python holds bytes that it was given for as long as it lives.
    """
    try:
        descriptor = os.memfd_create("model.onnx")
    except (AttributeError, OSError):  # not Linux, or not allowed
        yield model
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(model)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _first(error: Exception) -> str:
    """Return the first line of an onnxruntime error, without its code."""
    text = str(error).partition("\n")[0]
    return text.rpartition(" : ")[2] or text
