"""Time of a prediction over HTTP compared with the engine alone and the steps between.

    python -m benchmarks.serving [--requests 60] [--photographs DIR]

The engine runs in this process on decoded pixels; gunicorn, started as by ``make run``, serves
``POST /api/v1/predict/`` over a socket. In between are analyses in this process, without and with measures. All
alternate on the same photographs, so that other load affects them alike. Quote the ratios: of the medians, and of the
fastest, on which other work weighs least.
"""

import argparse
import os
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import mlmodel  # noqa: F401, isort: skip  # before NumPy, whose threads it limits, as in the server
import numpy as np

from benchmarks.multipart import encoded
from benchmarks.scratch import scratch_installation
from benchmarks.web_server import ROOT, WebServer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--photographs", type=Path, default=ROOT / "static" / "samples")
    options = parser.parse_args()
    files = [path.read_bytes() for path in sorted(options.photographs.glob("*.jpg"))]
    os.environ["DERMASCAN_PREDICTIONS_PER_MEMBER"] = "1000000/min"
    with scratch_installation():
        token = _make_token()
        with WebServer() as server:
            ways = {**_here(files), "a prediction over HTTP": _over_http(server.address, token, files)}
            times = [
                {name: _milliseconds(lambda way=way, n=n: way(n)) for name, way in ways.items()}  # type: ignore[misc]
                for n in range(options.requests)
            ]
            memory = server.peak_megabytes()
    columns = {name: np.array([each[name] for each in times]) for name in ways}
    bare = next(iter(columns.values()))
    print(f"{'':38} {'least':>7} {'p50':>7} {'p95':>7}   × the bare engine: least, p50, p95")
    for name, column in columns.items():
        shown, unit = _summary(column), _summary(bare)
        ratios = "  ".join(f"{one / other:.2f}" for one, other in zip(shown, unit, strict=True))
        print(f"{name:38} " + " ".join(f"{each:7.1f}" for each in shown) + f"   {ratios}")
    print(f"Times in ms. The web server's memory at its peak: {memory:.0f} MB.")


def _summary(times: np.ndarray) -> tuple[float, float, float]:
    return float(times.min()), float(np.median(times)), float(np.percentile(times, 95))


def _here(files: list[bytes]) -> dict[str, Callable[[int], Any]]:
    from mlmodel.network.analyser import get_analyser
    from mlmodel.pictures.picture import Picture, decode

    analyser = get_analyser()
    decoded = [decode(data) for data in files]
    prepared = [analyser.engine.prepare(picture.pixels)[None] for picture in decoded]

    def fresh(number: int) -> Picture:
        picture = decoded[number % len(decoded)]
        return Picture(pixels=picture.pixels, format=picture.format, media_type=picture.media_type)

    return {
        "the bare engine": lambda number: analyser.engine.run(prepared[number % len(prepared)], maps=True),
        "an analysis of decoded pixels": lambda number: analyser.analyse(fresh(number)),
        "the same with measures": lambda number: analyser.analyse(fresh(number), measures=True),
        "decoded, analysed and measured": lambda number: analyser.analyse(
            decode(files[number % len(files)]), measures=True
        ),
    }


def _over_http(address: str, token: str, files: list[bytes]) -> Callable[[int], Any]:
    def ask(number: int) -> bytes:
        body, content_type = encoded({}, {"file": ("photograph.jpg", files[number % len(files)])})
        headers = {"Authorization": f"Token {token}", "Content-Type": content_type}
        answer: bytes = urllib.request.urlopen(
            urllib.request.Request(f"{address}/api/v1/predict/", data=body, headers=headers)
        ).read()
        assert b"malignant_probability" in answer
        return answer

    return ask


def _make_token() -> str:
    from django.utils import timezone

    from patients.services import create_api_token
    from tests import factories

    member = factories.MemberFactory()
    return create_api_token(member=member, name="bench", expires_at=timezone.now() + timedelta(days=1))[1]


def _milliseconds(work: Callable[[], Any]) -> float:
    """Return the time of a second call, which like that of every other way finds its own network in the caches."""
    work()
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
