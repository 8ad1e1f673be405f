"""Time from the upload of a photograph to the rendered result, for 100 real uploads through gunicorn.

    python -m benchmarks.uploads [--uploads 100] [--photographs DIR]

Each upload works like the page's script: one photograph is posted, the prediction is stored with its files, and the
result page is fetched completely. Photographs are the shipped samples, or those of a given folder.

Also printed are the times of the upload and the page alone, and of each step of an analysis. Decoding and finding the
lesion are done once; twice their time is the cost of repeating them for the page.
"""

import argparse
import http.cookiejar
import itertools
import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.multipart import encoded
from benchmarks.scratch import scratch_installation
from benchmarks.web_server import ROOT, WebServer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uploads", type=int, default=100)
    parser.add_argument("--photographs", type=Path, default=ROOT / "static" / "samples")
    options = parser.parse_args()
    photographs = sorted(options.photographs.glob("*.jpg"))
    with scratch_installation():
        targets = _make_visits(-(-options.uploads // len(photographs)))
        with WebServer() as server:
            browser = _Browser(server.address)
            browser.sign_in("bench", "correct horse battery staple")
            jobs = list(itertools.product(targets, photographs))[: options.uploads]
            browser.upload(*jobs[0][0], jobs[0][1])
            times = np.array([browser.upload(*target, photograph) for target, photograph in jobs[1:]]) * 1000
        print(f"{len(times)} uploads to rendered result:", _said(times.sum(axis=1)))
        print(f"  the upload: {_said(times[:, 0])}\n  its page:   {_said(times[:, 1])}")
        _print_steps(photographs)


def _said(times: np.ndarray) -> str:
    return f"p50 {np.percentile(times, 50):.0f} ms, p95 {np.percentile(times, 95):.0f} ms, max {times.max():.0f} ms"


def _print_steps(photographs: list[Path]) -> None:
    """Print the median time of each step in this process."""
    for path in photographs:
        _steps_of(path.read_bytes())  # warms up
    rows = [_steps_of(path.read_bytes()) for path in photographs]
    print("Steps, ms: " + ", ".join(f"{step} {np.median([row[step] for row in rows]):.1f}" for step in rows[0]))


def _steps_of(data: bytes) -> dict[str, float]:
    from diagnosis.assessment.analysis import HEAT_MAP_SIDE, THUMBNAIL_SIDE, heat_map_pngs
    from diagnosis.images.full_pictures import DISPLAY_SIDE
    from mlmodel.network.analyser import get_analyser
    from mlmodel.network.quality import judge
    from mlmodel.pictures.picture import decode, encode_jpeg
    from mlmodel.segmentation.measuring import measure_picture
    from mlmodel.segmentation.segmenter import get_segmenter

    clock = _Clock()
    picture = clock("decode", lambda: decode(data))
    clock("judge the quality", lambda: judge(picture))
    clock("look for the lesion", lambda: get_segmenter().segment(picture.pixels))
    analysis = clock("analyse, with those two", lambda: get_analyser().analyse(picture, force=True))
    clock("measure", lambda: measure_picture(picture, found=analysis.segmentation))
    clock("draw heat maps", lambda: heat_map_pngs(analysis.assessment, picture, longest_side=HEAT_MAP_SIDE))
    clock("encode the display", lambda: encode_jpeg(picture.pixels, longest_side=DISPLAY_SIDE))
    clock("encode the thumbnail", lambda: encode_jpeg(picture.pixels, longest_side=THUMBNAIL_SIDE))
    return clock.times


class _Clock:
    """Times steps by name, in milliseconds."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}

    def __call__(self, step: str, work: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        done = work()
        self.times[step] = 1000 * (time.perf_counter() - started)
        return done


def _make_visits(count: int) -> list[tuple[str, str]]:
    from tests import factories

    user = factories.UserFactory(username="bench", password="correct horse battery staple")
    member = factories.MemberFactory(user=user)
    patient = factories.PatientFactory(clinic=member.clinic, created_by=member)
    lesion = factories.LesionFactory(patient=patient)
    return [(str(factories.VisitFactory(patient=patient).pk), str(lesion.pk)) for _ in range(count)]


class _Browser:
    """A minimal browser with cookies, tokens and forms for uploads."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    def sign_in(self, username: str, password: str) -> None:
        self._opener.open(self._address + "/accounts/login/").read()
        self._post("/accounts/login/", {"login": username, "password": password}, {})

    def upload(self, visit: str, lesion: str, photograph: Path) -> tuple[float, float]:
        """Return the seconds from sending the photograph to the response, and to the last byte of the result page."""
        started = time.perf_counter()
        answer = json.loads(self._post(f"/visits/{visit}/upload/", {"lesion": lesion}, {"files": photograph}))
        answered = time.perf_counter()
        page = self._opener.open(self._address + answer["url"]).read()
        assert b"not a diagnosis" in page
        return answered - started, time.perf_counter() - answered

    def _post(self, path: str, fields: dict[str, str], files: dict[str, Path]) -> bytes:
        token = next(str(cookie.value) for cookie in self._cookies if cookie.name == "csrftoken")
        body, content_type = encoded(
            {**fields, "csrfmiddlewaretoken": token},
            {name: (file.name, file.read_bytes()) for name, file in files.items()},
        )
        headers = {
            "Content-Type": content_type,
            "Accept": "application/json" if files else "text/html",
            "Referer": self._address,
        }
        request = urllib.request.Request(self._address + path, data=body, headers=headers)
        answer: bytes = self._opener.open(request).read()
        return answer


if __name__ == "__main__":
    main()
