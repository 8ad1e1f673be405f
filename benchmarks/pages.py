"""Response times of pages in a large clinic: 10,000 patients, 100,000 photographs with predictions.

    python -m benchmarks.pages [--patients 10000] [--photographs-each 10] [--requests 40]
        [--only WORDS] [--keep FOLDER]

Pages are requested through Django's test client: middleware, view, queries and template, without the network.
``--keep`` makes the clinic in a folder and uses the one that is there already; ``DATABASE_URL`` then counts, so that
PostgreSQL is measured too. On a busy machine only the processor's time means anything, and the median.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clinic_pages import pages
from benchmarks.large_clinic import fill
from benchmarks.scratch import scratch_installation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--photographs-each", type=int, default=10)
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--only", default="", help="ask only for the pages whose names contain these words")
    parser.add_argument("--keep", type=Path, help="a folder for the clinic, which is kept and used again")
    options = parser.parse_args()
    with scratch_installation(options.keep):
        people = _people() or make_clinic(options.patients, options.photographs_each)
        print(f"{'page':46}{'p50':>9}{'p95':>9}{'CPU p50':>9}{'CPU p95':>9}{'queries':>9}")
        for name, member, paths in pages(people):
            if options.only in name:
                _report(name, *_ask(member, paths, options.requests))


def _report(name: str, times: list[float], computed: list[float], queries: int) -> None:
    figures = [np.percentile(each, part) * 1000 for each in (times, computed) for part in (50, 95)]
    print(f"{name:46}{''.join(f'{figure:>6.0f} ms' for figure in figures)}{queries:>9}", flush=True)


def _ask(member: Any, paths: list[str], requests: int) -> tuple[list[float], list[float], int]:
    """Return the wall-clock and CPU seconds of each request and the number of queries of the first.

    A file that is streamed is read up to its first line.
    """
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    client.force_login(member.user)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(paths[0]).status_code == 200, paths[0]
        queries = len(captured)
    times, computed = [], []
    for n in range(requests):
        started, busy = time.perf_counter(), time.process_time()
        answer = client.get(paths[n % len(paths)])
        if answer.streaming:
            next(iter(answer.streaming_content))  # type: ignore[attr-defined]
        times.append(time.perf_counter() - started)
        computed.append(time.process_time() - busy)
        assert answer.status_code == 200, paths[n % len(paths)]
    return times, computed, queries


NAMES = ("staff", "dermatologist", "colleague", "visiting", "elsewhere")


def _people() -> dict[str, Any]:
    """Return the members of a clinic that was made before; nobody if there is none."""
    from patients.models import Member

    members = Member.objects.filter(user__username__in=NAMES, clinic__name__startswith="Large").select_related("user")
    return {member.user.username: member for member in members}


def make_clinic(patients: int, photographs_each: int) -> dict[str, Any]:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from diagnosis.record.search.summaries import calculate_everything_stale, mark_everything
    from mlmodel.versions.serving import active_version
    from patients.models import Role
    from tests.factories import ClinicFactory, MemberFactory

    default_storage.save("images/one.jpg", ContentFile(b"never opened by a page"))
    large, small = ClinicFactory(name="Large"), ClinicFactory(name="Large, elsewhere")
    people = {
        name: MemberFactory(
            user__username=name,
            clinic=small if name == "elsewhere" else large,
            role=Role.STAFF if name == "staff" else Role.DERMATOLOGIST,
        )
        for name in NAMES
    }
    started = time.perf_counter()
    fill(patients, each=photographs_each, people=people, version=active_version().pk)
    print(f"made in {time.perf_counter() - started:.0f} s", flush=True)
    started = time.perf_counter()
    mark_everything()
    calculate_everything_stale()
    print(f"summaries calculated in {time.perf_counter() - started:.0f} s", flush=True)
    return people


if __name__ == "__main__":
    main()
