"""The admin's page of a record says no less than its list, and than the clinic's own page."""

import html

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from diagnosis.assessment.exclusions import exclude_image
from diagnosis.images.models import Prediction
from diagnosis.reports.withholding import withhold_report
from diagnosis.reviews.models import QueueEntry
from diagnosis.reviews.queue import refresh_queue_entry
from diagnosis.reviews.services import record_review
from patients.models import ReviewRule
from tests import factories
from tests.diagnosis.reporting import signed_addendum, signed_report
from tests.diagnosis.reports.test_report_as_it_holds import answered, named
from tests.hooks import coded, codes, wording

pytestmark = pytest.mark.django_db

NOTE = "It shows the mole on the back, by the map of the body."


def change(client, row) -> str:
    address = reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
    return text(client, address)


def text(client, address) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return html.unescape(" ".join(answer.content.decode().split()))


@pytest.fixture
def report(patient, dermatologist):
    image = named(answered(patient, visit__plan="No treatment is needed."), dermatologist, "nv")
    return signed_report(image.visit, dermatologist, released=True)


@pytest.mark.parametrize("who", ["dermatologist", "manager"])
def test_a_report_that_is_withheld_is_not_called_released(request, sign_in, dermatologist, report, who):
    addendum = signed_addendum(report, dermatologist, words="Come again.", replaces_plan=False)
    client = sign_in(request.getfixturevalue(who))
    for row in (report.visit, report, addendum, report.visit.patient):
        assert "withheld" not in codes(change(client, row))
    withhold_report(report=report, by=dermatologist, reason="plan", note="It was meant for another lesion.")
    for row in (report.visit, report, addendum):
        page = change(client, row)
        assert "withheld" in codes(page)
        assert dermatologist.name in coded(page, "withheld")
        assert "It was meant for another lesion." in page
    assert "withheld" in codes(change(client, report.visit.patient))
    for row in (report.visit, report.visit.patient):
        assert "Released to the patient" not in change(client, row)
    assert "plan_has_addendum" in codes(change(client, report.visit))
    listed = client.get(reverse("admin:diagnosis_report_changelist")).content.decode()
    assert 'alt="True"' not in listed.split('id="result_list"')[1]


@pytest.mark.parametrize("who", ["dermatologist", "manager"])
def test_a_report_that_reviews_contradict_says_which_and_how(request, sign_in, dermatologist, report, who):
    named(report.visit.images.get(), dermatologist, "mel")
    client = sign_in(request.getfixturevalue(who))
    for row in (report.visit, report):
        page = change(client, row)
        assert "reviews_contradict_report" in codes(page)
        assert "labels_since" in codes(page)
        assert "Confirmed: Melanoma" in page
    assert "plan_made_before" in codes(change(client, report.visit))
    assert "reviews_contradict_report" in codes(change(client, report.visit.patient))
    assert "contradicted_reports" in codes(change(client, report.visit.images.get()))


def test_labels_that_contradict_each_other_are_said_wherever_one_is(sign_in, patient, dermatologist):
    image = named(answered(patient), dermatologist, "nv")
    other = named(answered(patient, lesion=image.lesion), dermatologist, "mel")
    client = sign_in(dermatologist)
    rows = [image, other, image.lesion, image.visit, patient, Prediction.objects.get(image=image)]
    for row in rows:
        page = change(client, row)
        assert "contradictions" in codes(page)
        assert "contradict each other: Melanoma, " in page
    assert wording("contradicted by another label of this lesion") in change(client, image)


@pytest.mark.usefixtures("network_shown")
def test_a_photograph_without_a_label_has_its_warnings(sign_in, patient, dermatologist):
    image = answered(patient, visit__bleeding=True)
    named(answered(patient, lesion=image.lesion), dermatologist, "bcc")
    refresh_queue_entry(image=image)
    client = sign_in(dermatologist)
    clinics_page = client.get(image.get_absolute_url())
    caveats = [caveat.words for caveat in clinics_page.context["view"].caveats]
    assert len(caveats) == 2
    for row in (image, Prediction.objects.get(image=image), QueueEntry.objects.get(image=image)):
        page = change(client, row)
        assert all(words in page for words in caveats)
        assert "Nothing alarming" not in page.split("<fieldset")[0]


def test_a_photograph_that_could_not_be_judged_has_them_too(sign_in, patient, dermatologist):
    image = factories.ImageFactory(lesion__patient=patient, verdict="blurred", visit__bleeding=True)
    client = sign_in(dermatologist)
    [caveat] = client.get(image.get_absolute_url()).context["warnings"]["caveats"]
    assert caveat.words in change(client, image)


def test_a_file_in_two_records_is_said(sign_in, clinic, patient, dermatologist):
    image = answered(patient, sha256="c" * 64)
    other = answered(factories.PatientFactory(clinic=clinic), sha256="c" * 64)
    page = change(sign_in(dermatologist), image)
    assert "same_file" in codes(page)
    assert other.get_absolute_url() in page


def test_a_finding_that_was_set_aside_is_said(sign_in, patient, dermatologist):
    image = named(answered(patient), dermatologist, "mel")
    calm = answered(patient, lesion=image.lesion)
    exclude_image(image=image, by=dermatologist, reason="other_lesion", note=NOTE)
    client = sign_in(dermatologist)
    for row in (image.lesion, patient, image.visit, calm.visit, calm):
        assert f"Confirmed: Melanoma. Excluded by {dermatologist.name}" in change(client, row)
    beside_its_lesion = change(client, patient).split("<fieldset")[-1]
    assert "finding_excluded" in codes(beside_its_lesion)
    page = change(client, image)
    assert "excluded" in codes(page)
    assert wording("does not count: the photograph is excluded") in page


def test_a_blinded_reader_reads_nothing_of_it_in_the_queue(sign_in, clinic, patient, dermatologist):
    clinic.review_rule = ReviewRule.TWO_BLINDED_READERS
    clinic.save()
    image = answered(patient, "urgent")
    colleague = factories.MemberFactory(clinic=clinic, role="dermatologist")
    record_review(image=image, reviewer=colleague, answer="mel", certainty="certain")
    refresh_queue_entry(image=image)
    page = change(sign_in(dermatologist), QueueEntry.objects.get(image=image))
    assert "admin-remarks" not in page


def test_what_is_well_has_no_remark(sign_in, patient, dermatologist, report):
    client = sign_in(dermatologist)
    for row in (report, report.visit, report.visit.images.get(), report.visit.images.get().lesion, patient):
        assert "errornote" not in change(client, row)
    assert "Released to the patient" in change(client, report.visit)


def test_a_patients_page_costs_the_same_for_any_number(sign_in, patient, dermatologist):
    client = sign_in(dermatologist)
    costs = []

    for _ in range(2):
        for _ in range(3):
            image = named(answered(patient), dermatologist, "nv")
            signed_report(image.visit, dermatologist, released=True)
        with CaptureQueriesContext(connection) as asked:
            change(client, patient)
        costs.append(len(asked))
    assert costs[0] == costs[1]
