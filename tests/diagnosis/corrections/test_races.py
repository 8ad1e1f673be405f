"""Two people at once: one of them is told, and no row is left between two records."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from dermascan.core.errors import Refused
from diagnosis.corrections.acts.merge import merge_patients
from diagnosis.corrections.acts.photograph import move_photograph, plan_photograph_move
from diagnosis.corrections.acts.visit import move_visit, plan_visit_move
from diagnosis.corrections.models import Correction
from diagnosis.images.models import Image
from diagnosis.reports.models import Report
from diagnosis.reports.services import sign_visit
from patients.models import Lesion, Patient, Visit
from patients.services import add_lesion, log_visit
from tests import factories
from tests.diagnosis.corrections.conftest import REASON
from tests.diagnosis.reporting import NEVUS, photographed_visit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.services]


def together(*works: Callable[[], object]) -> list[str]:
    """Do all works at the same time, and return the codes of the refusals."""
    start, refusals, faults = threading.Barrier(len(works)), [], []

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except Refused as refused:
            refusals.append(refused.code)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    return refusals


def test_of_two_who_move_one_photograph_the_second_is_told(patient, staff):
    image = factories.ImageFactory(lesion__patient=patient)
    lesions = [factories.LesionFactory(patient=patient) for _ in range(2)]
    seen = [plan_photograph_move(image=image, patient=patient, lesion=lesion).fingerprint for lesion in lesions]
    refusals = together(*(
        lambda lesion=lesion, token=token: move_photograph(
            image=image, patient=patient, lesion=lesion, by=staff, reason=REASON, seen=token
        )
        for lesion, token in zip(lesions, seen, strict=True)
    ))  # fmt: skip
    assert len(refusals) == 1
    assert Correction.objects.count() == 1
    assert Image.objects.get().lesion in lesions


def test_two_records_are_merged_one_way_only(patient, clinic, staff):
    other = factories.PatientFactory(clinic=clinic)
    for of in (patient, other):
        factories.ImageFactory(lesion__patient=of)
    refusals = together(
        lambda: merge_patients(duplicate=patient, survivor=other, by=staff, reason=REASON),
        lambda: merge_patients(duplicate=other, survivor=patient, by=staff, reason=REASON),
    )
    assert refusals == ["cannot_correct"]
    survivor = Patient.objects.in_use().get()
    assert (survivor.visits.count(), survivor.lesions.count()) == (2, 2)


def test_nothing_is_added_to_a_record_while_it_is_merged(patient, clinic, staff):
    other = factories.PatientFactory(clinic=clinic)
    together(
        lambda: log_visit(patient=patient, by=staff, complaint="It itches"),
        lambda: merge_patients(duplicate=patient, survivor=other, by=staff, reason=REASON),
        lambda: add_lesion(patient=patient, by=staff, body_site="back"),
    )
    assert Patient.objects.in_use().get() == other
    assert not Visit.objects.filter(patient=patient).exists()
    assert not Lesion.objects.filter(patient=patient).exists()


def test_a_visit_is_signed_or_moved_but_not_both(patient, clinic, dermatologist):
    visit = photographed_visit(patient, NEVUS, plan="Come back in three months.")
    other = factories.PatientFactory(clinic=clinic)
    seen = plan_visit_move(visit=visit, patient=other).fingerprint
    refusals = together(
        lambda: sign_visit(visit=visit, by=dermatologist),
        lambda: move_visit(visit=visit, patient=other, by=dermatologist, reason=REASON, seen=seen),
    )
    assert len(refusals) == 1
    moved, signed = Correction.objects.exists(), Report.objects.exists()
    assert moved != signed
    assert Visit.objects.get(pk=visit.pk).patient == (other if moved else patient)
