"""Latency of an answer on this machine, for single photographs and batches."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from mlmodel.evaluation.errors import EvaluationError
from mlmodel.network.analyser import Analyser
from mlmodel.pictures.picture import decode
from mlmodel.pictures.picture_errors import PictureError
from mlmodel.pictures.picture_files import read_picture

_BATCH = 8
_WARM_UP = 2

Progress = Callable[[Iterable[int]], Iterable[int]]


def latency_of(paths: Sequence[Path], analyser: Analyser, *, count: int, progress: Progress = iter) -> dict[str, Any]:
    """Return the median and 95th percentile of ``count`` answers, in seconds.

    ``answer`` is everything that the application does with an upload's bytes: decoding, quality check, inference and
    heat map. ``network`` is the inference only; ``batch`` is the same in batches of 8, per photograph.

    Raises:
        EvaluationError: none of the files can be read.
    """
    contents, inputs = _readable(paths, analyser)
    answers, singles, batches = [], [], []
    for turn in progress(range(count + _WARM_UP)):
        data, pixels = contents[turn % len(contents)], inputs[turn % len(inputs)]
        taken = _seconds(lambda data=data: analyser.analyse(decode(data), force=True))  # type: ignore[misc]
        alone = _seconds(lambda pixels=pixels: analyser.engine.run(pixels[None]))  # type: ignore[misc]
        if turn >= _WARM_UP:
            answers.append(taken)
            singles.append(alone)
    batch = np.stack([inputs[index % len(inputs)] for index in range(_BATCH)])
    for turn in range(max(2, count // _BATCH) + 1):
        taken = _seconds(lambda: analyser.engine.run(batch)) / _BATCH
        if turn:
            batches.append(taken)
    return {
        "cores": os.cpu_count() or 1,
        "engine": f"ONNX Runtime {version('onnxruntime')}",
        "batch_size": _BATCH,
        "answer": _summary(answers),
        "network": _summary(singles),
        "batch": _summary(batches),
    }


def _readable(paths: Sequence[Path], analyser: Analyser) -> tuple[list[bytes], list[np.ndarray]]:
    contents, inputs = [], []
    for path in paths:
        try:
            picture = read_picture(path)
            contents.append(path.read_bytes())
        except (PictureError, OSError):
            continue
        inputs.append(analyser.engine.prepare(picture.pixels))
        if len(inputs) == _BATCH:
            break
    if not inputs:
        raise EvaluationError("The latency cannot be measured: no photograph can be read.")
    return contents, inputs


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    return {
        "count": len(seconds),
        "p50": round(float(np.percentile(seconds, 50)), 4),
        "p95": round(float(np.percentile(seconds, 95)), 4),
    }
