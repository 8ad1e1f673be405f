"""What the audit trail costs: pages with and without it, by turns in one run.

    python -m benchmarks.audit [--patients 2000] [--photographs-each 10] [--requests 100]

Each page is requested through Django's test client, once with and once without the middleware's writing, in random
order, so that other work on the machine weighs on both alike. On a busy machine only the CPU seconds are meaningful.
"""

import argparse
import random
import time
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.pages import make_clinic
from benchmarks.scratch import scratch_installation

_WRITING = "patients.audit.middleware._of_address"
_ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--photographs-each", type=int, default=10)
    parser.add_argument("--requests", type=int, default=100)
    options = parser.parse_args()
    with scratch_installation():
        people = make_clinic(options.patients, options.photographs_each)
        print(f"{'page':28}{'without':>10}{'with':>10}{'more':>9}{'more':>7}{'CPU':>11}{'CPU':>8}")
        for name, member, paths in _pages(people):
            without, with_it = _by_turns(member, paths, options.requests)
            print(_line(name, without, with_it), flush=True)
        _print_verification()


def _line(name: str, without: list[tuple[float, float]], with_it: list[tuple[float, float]]) -> str:
    (before, before_cpu), (after, after_cpu) = np.median(without, axis=0), np.median(with_it, axis=0)
    more, busy = after - before, after_cpu / before_cpu - 1
    return (
        f"{name:28}{before * 1000:>7.1f} ms{after * 1000:>7.1f} ms{more * 1000:>6.2f} ms"
        f"{more / before:>7.1%}{(after_cpu - before_cpu) * 1000:>8.2f} ms{busy:>8.1%}"
    )


def _by_turns(member: Any, paths: list[str], requests: int) -> tuple[list[tuple[float, float]], ...]:
    """Return the seconds, and CPU seconds, of each request without and with the trail."""
    from django.test import Client

    client, shuffled = Client(), random.Random(0)
    client.force_login(member.user)
    times: tuple[list[tuple[float, float]], ...] = ([], [])
    for path in paths[:_ROUNDS]:
        client.get(path)
    for n in range(requests):
        for is_told in shuffled.sample((False, True), 2):
            times[is_told].append(_timed(client, paths[n % len(paths)], is_told=is_told))
    return times


def _timed(client: Any, path: str, *, is_told: bool) -> tuple[float, float]:
    started, busy = time.perf_counter(), time.process_time()
    if is_told:
        answer = client.get(path)
    else:
        with patch(_WRITING, lambda *_arguments: []), patch("patients.audit.writing.note", lambda *_a, **_k: None):
            answer = client.get(path)
    took = time.perf_counter() - started, time.process_time() - busy
    assert answer.status_code == 200, path
    return took


def _pages(people: dict[str, Any]) -> list[tuple[str, Any, list[str]]]:
    from django.urls import reverse

    from diagnosis.images.models import Image
    from patients.models import Lesion, Patient, Visit

    reader = people["dermatologist"]

    def addresses(name: str, model: Any) -> list[str]:
        return [reverse(name, args=[key]) for key in model.objects.order_by("pk").values_list("pk", flat=True)[:40]]

    return [
        ("patient", reader, addresses("patient", Patient)),
        ("visit", reader, addresses("visit", Visit)),
        ("lesion", reader, addresses("lesion", Lesion)),
        ("result", reader, addresses("image", Image)),
        ("list of patients", reader, [reverse("patients")]),
        ("search", reader, [reverse("patients") + "?q=a"]),
        ("list of lesions", reader, [reverse("lesions")]),
        ("today", reader, [reverse("today")]),
    ]


def _print_verification() -> None:
    """Print how fast the trail that this run left is verified."""
    from patients.audit.verifying import verify_chain
    from patients.models import AuditChain

    chain = AuditChain.objects.order_by("-length").first()
    assert chain is not None
    started = time.perf_counter()
    verdict = verify_chain(chain)
    took = time.perf_counter() - started
    assert not verdict.fault, verdict.fault
    print(f"verified {verdict.checked} entries in {took:.2f} s: {verdict.checked / took:.0f} a second")


if __name__ == "__main__":
    main()
