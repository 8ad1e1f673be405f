"""Switch model versions under load, and check for failed requests and responses that mix two versions.

    python -m research.promotion [--seconds 20] [--askers 4] [--processes 2]

gunicorn runs with several worker processes. Threads post photographs to the API while this process repeatedly promotes
a candidate and rolls back. The candidate is the shipped head with another bias, so that each version's response is
known: a response with one version's name and the other's probabilities is mixed.
"""

import argparse
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.multipart import encoded
from benchmarks.scratch import scratch_installation
from benchmarks.web_server import ROOT, WebServer

PHOTOGRAPH = ROOT / "static" / "samples" / "ISIC_0024310.jpg"
BETWEEN_SWITCHES = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--askers", type=int, default=4)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    os.environ.update(WEB_CONCURRENCY=str(options.processes), DERMASCAN_PREDICTIONS_PER_MEMBER="1000000/min")
    with scratch_installation():
        _print(*_measure(options.seconds, options.askers))


def _measure(seconds: float, askers: int) -> tuple[list[tuple[str, bool, float]], list[float]]:
    """Return each response (content, whether it is of one version, seconds) and the seconds of each switch."""
    from mlmodel.versions.promotion import promote_version, roll_back
    from mlmodel.versions.serving import active_version
    from tests import factories
    from tests.candidates import candidate

    member = factories.MemberFactory()
    user, token = member.user, factories.api_key(member)
    shipped, version = active_version(), candidate()
    expected = {each.name: _expected(each) for each in (shipped, version)}
    stop, switches = threading.Event(), []
    with WebServer() as server, ThreadPoolExecutor(askers) as pool:
        asking = [pool.submit(_ask, server.address, token, expected, stop) for _ in range(askers)]
        try:
            until, target = time.monotonic() + seconds, version
            promoted = False
            while time.monotonic() < until:
                time.sleep(BETWEEN_SWITCHES)
                started = time.perf_counter()
                if promoted:
                    roll_back(to=target, by=user, reason="Back and forth.")
                else:
                    promote_version(version=version, by=user, reason="To see what a switch does.")
                switches.append(time.perf_counter() - started)
                promoted, target = True, shipped if target == version else version
        finally:
            stop.set()
        return [answer for future in asking for answer in future.result()], switches


def _expected(version: Any) -> dict[str, float]:
    from mlmodel.pictures.picture import decode
    from mlmodel.versions.serving import analyser_of

    assessment = analyser_of(version).analyse(decode(PHOTOGRAPH.read_bytes())).assessment
    assert assessment is not None, "the sample can be judged"
    return assessment.probabilities


def _ask(
    address: str, token: str, expected: dict[str, dict[str, float]], stop: threading.Event
) -> list[tuple[str, bool, float]]:
    body, content_type = encoded({}, {"file": ("lesion.jpg", PHOTOGRAPH.read_bytes())})
    headers = {"Authorization": f"Token {token}", "Content-Type": content_type}
    answers = []
    while not stop.is_set():
        request = urllib.request.Request(f"{address}/api/v1/predict/", data=body, headers=headers)
        started = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                answer = json.load(response)
            name, probabilities = answer["model_version"], expected[answer["model_version"]]
            is_whole = all(abs(answer["probabilities"][code] - probabilities[code]) < 0.001 for code in probabilities)
        except (OSError, ValueError, KeyError) as error:
            name, is_whole = f"failed: {error!r}", True
        answers.append((name, is_whole, time.perf_counter() - started))
    return answers


def _print(answers: list[tuple[str, bool, float]], switches: list[float]) -> None:
    times = np.array([seconds for _name, _whole, seconds in answers]) * 1000
    for name, count in Counter(name for name, _whole, _seconds in answers).most_common():
        print(f"{name:40}{count:>8} answers")
    failed = sum(name.startswith("failed") for name, _whole, _seconds in answers)
    print(f"{len(switches)} switches, the slowest took {max(switches) * 1000:.0f} ms")
    print(f"{failed} failed, {sum(not whole for _name, whole, _seconds in answers)} mixed")
    print(f"p50 {np.percentile(times, 50):.0f} ms, p95 {np.percentile(times, 95):.0f} ms, max {times.max():.0f} ms")


if __name__ == "__main__":
    main()
