"""Response times of pages in a large clinic: 10,000 patients, 100,000 photographs with predictions.

    python -m benchmarks.pages [--patients 10000] [--photographs-each 10] [--requests 40]

Pages are requested through Django's test client: middleware, view, queries and template, without the network.
"""

import argparse
import datetime
import time
import uuid
from typing import Any

import numpy as np

from benchmarks.scratch import scratch_installation
from benchmarks.settled import settle

_BATCH = 5000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--photographs-each", type=int, default=10)
    parser.add_argument("--requests", type=int, default=40)
    options = parser.parse_args()
    with scratch_installation():
        people = fill(options.patients, options.photographs_each)
        print(f"{'page':42}{'p50':>9}{'p95':>9}{'CPU p95':>9}{'queries':>9}")
        for name, member, paths in _pages(people):
            times, computed, queries = _ask(member, paths, options.requests)
            p50, p95 = np.percentile(times, 50) * 1000, np.percentile(times, 95) * 1000
            busy = np.percentile(computed, 95) * 1000
            print(f"{name:42}{p50:>6.0f} ms{p95:>6.0f} ms{busy:>6.0f} ms{queries:>9}", flush=True)


def _ask(member: Any, paths: list[str], requests: int) -> tuple[list[float], list[float], int]:
    """Return the wall-clock and CPU seconds of each request and the number of queries of the first.

    On a busy machine only the CPU seconds are meaningful. A file that is streamed is read up to its first line.
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


def _pages(people: dict[str, Any]) -> list[tuple[str, Any, list[str]]]:
    from diagnosis.images.models import Image
    from patients.models import Lesion, Patient, Visit

    def some(model: Any, step: int) -> list[str]:
        keys = list(model.objects.order_by("pk").values_list("pk", flat=True)[: step * 20 : step])
        return [model(pk=key).get_absolute_url() for key in keys]

    staff, dermatologist = people["staff"], people["dermatologist"]
    return [
        ("patients, first page", staff, ["/patients/"]),
        ("patients, page 200", staff, ["/patients/?page=200"]),
        ("patients, search by name", staff, [f"/patients/?q=Family{n}" for n in range(0, 900, 45)]),
        ("patients, search by record number", staff, [f"/patients/?q=R{n:06}" for n in range(0, 9000, 450)]),
        ("patients, search by birth date", staff, ["/patients/?q=1950-03-04", "/patients/?q=1971-01-02"]),
        ("today", staff, ["/today/"]),
        ("today, overdue recalls, page 5", staff, ["/today/overdue/?page=5"]),
        ("today, earlier visits", staff, ["/today/drafts/"]),
        ("visits", staff, ["/visits/"]),
        ("visits, open, page 20", staff, ["/visits/?status=open&page=20"]),
        ("lesions", staff, ["/lesions/"]),
        ("lesions, urgent (common)", staff, ["/lesions/?tier=urgent"]),
        ("lesions, labelled bcc (rare)", staff, ["/lesions/?label=bcc"]),
        ("lesions, no result after 30 days (rare)", staff, ["/lesions/?result=late"]),
        ("lesions, no plan", staff, ["/lesions/?plan=none"]),
        ("lesions, by name and tier", staff, [f"/lesions/?q=Family{n}&tier=urgent" for n in range(0, 900, 45)]),
        ("lesions, CSV, first byte", staff, ["/lesions/csv/?label=bcc"]),
        ("body map", staff, [f"{path}map/" for path in some(Patient, 100)]),
        ("compare", staff, [f"{path}compare/" for path in some(Lesion, 100)]),
        ("patient", staff, some(Patient, 100)),
        ("visit", staff, some(Visit, 100)),
        ("lesion over time", staff, some(Lesion, 100)),
        ("result", staff, some(Image, 1000)),
        (
            "admin: photographs",
            dermatologist,
            ["/admin/diagnosis/image/", f"/admin/diagnosis/image/?p={min(100, max(Image.objects.count() // 100, 1))}"],
        ),
        ("admin: photographs that wait for review", dermatologist, ["/admin/diagnosis/image/?review=needed"]),
        *(
            (f"admin: photographs, {tier} tier", dermatologist, [f"/admin/diagnosis/image/?tier={tier}"])
            for tier in ("urgent", "watch", "calm")
        ),
        (
            "admin: those that wait, urgent tier",
            dermatologist,
            ["/admin/diagnosis/image/?review=needed&tier=urgent"],
        ),
        ("admin: confirmed photographs", dermatologist, ["/admin/diagnosis/image/?review=confirmed"]),
        (
            "admin: photographs of a patient",
            dermatologist,
            [f"/admin/diagnosis/image/?q=R{n:06}" for n in range(20)],
        ),
        ("admin: predictions", dermatologist, ["/admin/diagnosis/prediction/"]),
        *(
            (f"admin: predictions, {tier} tier", dermatologist, [f"/admin/diagnosis/prediction/?tier={tier}"])
            for tier in ("urgent", "watch", "calm")
        ),
        *(
            (f"admin: predictions, {code}", dermatologist, [f"/admin/diagnosis/prediction/?explained={code}"])
            for code in ("mel", "df")
        ),
        ("admin: patients", dermatologist, ["/admin/patients/patient/"]),
        ("admin: visits", dermatologist, ["/admin/patients/visit/"]),
    ]


def fill(patients: int, photographs_each: int) -> dict[str, Any]:
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from diagnosis.images.models import Image, Prediction
    from diagnosis.reviews.models import QueueEntry, Review
    from mlmodel.network.analyser import get_analyser
    from mlmodel.taxonomy import CODES
    from mlmodel.versions.serving import active_version
    from patients.models import Lesion, Patient, Role, Visit
    from tests import factories

    generator = np.random.default_rng(0)
    staff = factories.MemberFactory(role=Role.STAFF)
    dermatologist = factories.MemberFactory(role=Role.DERMATOLOGIST, clinic=staff.clinic)
    version = active_version()
    default_storage.save("images/one.jpg", ContentFile(b"never opened by a page"))
    first = datetime.date(1940, 1, 1)
    people = [
        Patient(
            clinic=staff.clinic,
            record_number=f"R{n:06}",
            given_name=f"Given{n % 311}",
            family_name=f"Family{n % 997}",
            birth_date=first + datetime.timedelta(days=int(generator.integers(0, 25_000))),
            created_by=staff,
        )
        for n in range(patients)
    ]
    Patient.objects.bulk_create(people, batch_size=_BATCH)
    visits = [
        Visit(patient=person, clinician=staff, complaint="A mole", date=datetime.date(2026, 1 + k, 1 + n % 28))
        for n, person in enumerate(people)
        for k in range(2)
    ]
    Visit.objects.bulk_create(visits, batch_size=_BATCH)
    lesions = [Lesion(patient=person, number=1, body_site="back", created_by=staff) for person in people]
    Lesion.objects.bulk_create(lesions, batch_size=_BATCH)
    images = [
        Image(
            visit=visits[2 * n + k % 2],
            lesion=lesions[n],
            uploaded_by=staff,
            original="images/one.jpg",
            original_name="one.jpg",
            media_type="image/jpeg",
            sha256=uuid.uuid4().hex * 2,
            width=600,
            height=450,
            display="images/one.jpg",
            thumbnail="images/one.jpg",
            verdict="accepted",
            # One in fifty is without a dermatoscope, and is never shown as calm.
            measures={"smartphone": 1.0} if (n * photographs_each + k) % 50 == 49 else {},
        )
        for n in range(patients)
        for k in range(photographs_each)
    ]
    Image.objects.bulk_create(images, batch_size=_BATCH)
    _plan(lesions, visits, dermatologist)
    # Mostly nevi, some of them suspicious, as in a clinic.
    probabilities = generator.dirichlet([5.0 if code == "nv" else 0.25 for code in CODES], len(images))
    tier_of = get_analyser().operating_points.tier_of
    Prediction.objects.bulk_create(
        (
            Prediction(
                image=image,
                model_version=version,
                code=CODES[int(row.argmax())],
                malignant_probability=float(row[0] + row[1] + row[4]),
                tier=tier_of(float(row[0] + row[1] + row[4])),
                **dict(zip(CODES, row.tolist(), strict=True)),
            )
            for image, row in zip(images, probabilities, strict=True)
        ),
        batch_size=_BATCH,
    )
    settle((image, dermatologist) for image in images[::3])
    _send(lesions[::400], staff)
    # Every sixth has an unsure review of melanoma, and half of those a later, different review.
    for answer, some in (("mel", images[1::6]), ("nv", images[1::12])):
        Review.objects.bulk_create(
            (Review(image=image, reviewer=dermatologist, answer=answer, certainty="unsure") for image in some),
            batch_size=_BATCH,
        )
    QueueEntry.objects.bulk_create(
        (
            QueueEntry(
                image=image,
                clinic=staff.clinic,
                state="done" if n % 3 == 0 else "waiting",
                reasons=[] if n % 3 == 0 else [_reason(n)],
                reason="" if n % 3 == 0 else _reason(n),
                needs=0 if n % 3 == 0 else 1,
                priority=0 if n % 3 == 0 else 10 * float(probabilities[n][[0, 1, 4]].sum()),
                entered_at=image.created_at,
            )
            for n, image in enumerate(images)
        ),
        batch_size=_BATCH,
    )
    return {"staff": staff, "dermatologist": dermatologist}


def _reason(n: int) -> str:
    return "urgent" if n % 50 == 1 else "no_label"


def _send(lesions: list[Any], staff: Any) -> None:
    """One specimen in four hundred lesions, sent forty days ago, has no result."""
    from diagnosis.outcomes.models import Specimen

    sent_on = datetime.date.today() - datetime.timedelta(days=40)
    people = {"sent_by": staff, "recorded_by": staff, "clinic": staff.clinic}
    Specimen.objects.bulk_create(
        [Specimen(lesion=lesion, kind="punch", sent_on=sent_on, **people) for lesion in lesions], batch_size=_BATCH
    )


def _plan(lesions: list[Any], visits: list[Any], dermatologist: Any) -> None:
    """Half of the lesions have a plan, a fifth of them overdue; and sixty visits are of today."""
    from diagnosis.followup.models import LesionPlan
    from patients.models import Visit

    today = datetime.date.today()
    steps = ("see_again", "see_again", "see_again", "biopsy", "result_awaited")
    LesionPlan.objects.bulk_create(
        (
            LesionPlan(
                clinic=dermatologist.clinic,
                lesion=lesion,
                step=steps[n % len(steps)],
                due_on=today + datetime.timedelta(days=n % 300 - 60),
                stated_by=dermatologist,
            )
            for n, lesion in enumerate(lesions[::2])
        ),
        batch_size=_BATCH,
    )
    Visit.objects.filter(pk__in=[visit.pk for visit in visits[:60]]).update(date=today)


if __name__ == "__main__":
    main()
