"""Time of a prediction over HTTP compared with the engine alone and the steps between.

    python -m benchmarks.serving [--requests 60] [--photographs DIR]

The engine runs in this process on decoded pixels; gunicorn, started as by ``make run``, serves
``POST /api/v1/predict/`` over a socket. In between are analyses in this process, without and with measures. All
alternate on the same photographs, so that other load affects them alike. Quote the ratios.
"""

import argparse
import os
import time
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

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
            for way in ways.values():
                way(0)
                way(1)
            times = [
                {name: _milliseconds(lambda way=way, n=n: way(n)) for name, way in ways.items()}  # type: ignore[misc]
                for n in range(options.requests)
            ]
    medians = {name: float(np.median([each[name] for each in times])) for name in ways}
    bare = next(iter(medians.values()))
    for name, median in medians.items():
        slow = np.percentile([each[name] for each in times], 95)
        print(f"{name:38} p50 {median:6.1f} ms   p95 {slow:6.1f} ms   {median / bare:.2f} × the bare engine")


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
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
