"""Response time of the review page for the next photograph in a large archive.

    python -m benchmarks.review_queue [--photographs 100000] [--requests 40]

Two clinics share an SQLite database that is filled with SQL; two thirds of the photographs wait for review. Pages are
requested through Django's test client: middleware, view, queries and template, without the network. The target is
300 ms for 95 of 100, with up to 1,000,000 photographs.
"""

import argparse
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.review_archive import archive_sql
from benchmarks.scratch import scratch_installation

PHOTOGRAPHS_EACH = 10
# How many photographs at the front of the queue one reader has already reviewed, so that the queue skips them.
MOST_READ_AHEAD = 10_000
FARTHEST_PAGE = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=40)
    options = parser.parse_args()
    with scratch_installation():
        started = time.perf_counter()
        people = _fill(options.photographs)
        print(f"{options.photographs:,} photographs, made in {time.perf_counter() - started:.0f} s")
        print(f"{'page':56}{'p50':>9}{'p95':>9}{'CPU p95':>9}{'queries':>9}")
        for name, ask in _questions(people, options.photographs):
            queries, times, computed = _measure(ask, options.requests)
            figures = (np.percentile(times, 50), np.percentile(times, 95), np.percentile(computed, 95))
            print(
                f"{name:56}" + "".join(f"{seconds * 1000:>6.0f} ms" for seconds in figures) + f"{queries:>9}",
                flush=True,
            )


def _measure(ask: Callable[[], None], requests: int) -> tuple[int, list[float], list[float]]:
    """Return a request's number of queries, wall-clock seconds and CPU seconds.

    On a busy machine only the CPU seconds are meaningful.
    """
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        ask()
        queries = len(captured)
    times, computed = [], []
    for _number in range(requests):
        started, busy = time.perf_counter(), time.process_time()
        ask()
        times.append(time.perf_counter() - started)
        computed.append(time.process_time() - busy)
    return queries, times, computed


def _questions(people: Mapping[str, Any], count: int) -> list[tuple[str, Callable[[], None]]]:
    page = max(1, min(FARTHEST_PAGE, count // 500))
    fresh, ahead = _client(people["fresh"]), _client(people["ahead"])
    listing = "/admin/diagnosis/queueentry/"
    return [
        ("review: the next photograph", _page(fresh, "/admin/review/")),
        ("review: answer, and the next photograph", lambda: _answer(fresh)),
        ("review: skip, and the next photograph", lambda: _skip(fresh)),
        (f"review: the next, for who has read {_read_ahead(count):,} of the first", _page(ahead, "/admin/review/")),
        ("queue: first page", _page(fresh, listing)),
        (f"queue: page {page}", _page(fresh, f"{listing}?p={page}")),
        ("queue: a second reader is asked for", _page(fresh, f"{listing}?needs=2")),
        ("queue: done", _page(fresh, f"{listing}?state=done")),
        ("queue: search by record number", _page(fresh, f"{listing}?q=R000042")),
        ("photographs: waiting for review", _page(fresh, "/admin/diagnosis/image/?review=needed")),
        ("photographs: with a label", _page(fresh, "/admin/diagnosis/image/?review=confirmed")),
        ("agreement", _page(fresh, "/admin/review/agreement/")),
        ("watch", _page(fresh, "/watch/")),
        ("watch: all clinics", _page(_client(people["operator"]), "/watch/site/")),
        ("metrics", _page(fresh, "/metrics")),
    ]


def _read_ahead(count: int) -> int:
    return min(MOST_READ_AHEAD, count // 10)


def _client(member: Any) -> Any:
    from django.test import Client

    client = Client()
    client.force_login(member.user)
    return client


def _page(client: Any, path: str) -> Callable[[], None]:
    def ask() -> None:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)

    return ask


def _shown(client: Any) -> tuple[str, str]:
    """Return the photograph on the page, and the state from which its form was built."""
    page = client.get("/admin/review/").content.decode()
    image = re.search(r'action="/admin/review/([0-9a-f-]{36})/"', page)
    made_from = re.search(r'name="made_from"\s+value="([^"]*)"', page)
    assert image, "the queue ran dry"
    assert made_from
    return image[1], made_from[1]


_next: dict[Any, tuple[str, str]] = {}


def _answer(client: Any) -> None:
    """Submit a review and load the next photograph, which together are what a user waits for."""
    key, made_from = _next.get(client) or _shown(client)
    answer = client.post(f"/admin/review/{key}/", {"answer": "nv", "certainty": "certain", "made_from": made_from})
    assert answer.status_code == 302
    _next[client] = _shown(client)


def _skip(client: Any) -> None:
    key, made_from = _next.get(client) or _shown(client)
    answer = client.post(f"/admin/review/{key}/skip/", {"made_from": made_from})
    assert answer.status_code == 302
    _next[client] = _shown(client)


def _fill(count: int) -> dict[str, Any]:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage
    from django.db import connection

    from mlmodel.versions.serving import active_version
    from patients.models import Role
    from tests import factories

    fresh = factories.MemberFactory(role=Role.DERMATOLOGIST)
    ahead = factories.MemberFactory(role=Role.DERMATOLOGIST, clinic=fresh.clinic)
    elsewhere = factories.MemberFactory(role=Role.DERMATOLOGIST)
    operator = factories.MemberFactory(role=Role.DERMATOLOGIST, clinic=fresh.clinic, user__is_superuser=True)
    default_storage.save("images/one.jpg", ContentFile(b"never opened by a page"))
    with connection.cursor() as cursor:
        for statement in archive_sql(
            count,
            each=PHOTOGRAPHS_EACH,
            read_ahead=_read_ahead(count),
            fresh=fresh.pk.hex,
            ahead=ahead.pk.hex,
            elsewhere=elsewhere.pk.hex,
            clinics=(fresh.clinic_id.hex, elsewhere.clinic_id.hex),
            version=active_version().pk,
        ):
            cursor.execute(statement)
        cursor.execute("ANALYZE")
    return {"fresh": fresh, "ahead": ahead, "operator": operator}


if __name__ == "__main__":
    main()
