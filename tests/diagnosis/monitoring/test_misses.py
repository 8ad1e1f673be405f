"""Malignant results that nothing had warned of are listed, counted, and shown to the signer."""

import datetime

import pytest
from django.urls import reverse

from diagnosis.monitoring.confirmed_diagnoses import diagnoses_of
from diagnosis.monitoring.misses import miss_counts, missed_results
from diagnosis.monitoring.prometheus import metrics_text
from diagnosis.outcomes.pathology import confirm_result, withdraw_result
from diagnosis.reports.models import ContradictedReport
from diagnosis.reviews.services import record_review
from patients.models import MessageKind, OutgoingMessage
from patients.outbox import deliver_due
from tests import factories
from tests.diagnosis.outcomes.records import add_photograph, confirmed, entered, photographed, sent
from tests.diagnosis.reporting import signed_report

pytestmark = pytest.mark.django_db


def metric(name: str) -> dict[str, float]:
    lines = [line for line in metrics_text().splitlines() if line.startswith(f"{name}{{")]
    return {line.split('"')[1]: float(line.rsplit(" ", 1)[1]) for line in lines}


def listed(client, **query):
    answer = client.get(reverse("outcomes-misses"), query)
    assert answer.status_code == 200
    return answer.context["misses"]


@pytest.mark.parametrize(
    ("answer", "tier", "is_missed"),
    [("mel", "calm", True), ("scc", "calm", True), ("akiec", "calm", True), ("mel", "watch", False),
     ("mel", "urgent", False), ("nv", "calm", False), ("meltump", "calm", False)],
)  # fmt: skip
def test_a_calm_answer_to_what_is_malignant_is_a_miss(sign_in, patient, dermatologist, answer, tier, is_missed):
    lesion = photographed(patient, 20, tier=tier)
    result = confirmed(sent(lesion, dermatologist), dermatologist, answer)
    misses = listed(sign_in(dermatologist))
    assert [miss.result for miss in misses] == ([result] if is_missed else [])
    assert metric("dermascan_results_missed_12w") == ({answer: 1.0} if is_missed else {})
    if is_missed:
        (prediction,) = misses[0].answers
        assert prediction.image == lesion.images.get()
        page = sign_in(dermatologist).get(reverse("outcomes-misses")).text
        assert prediction.model_version.name in page
        assert lesion.get_absolute_url() in page


def test_what_is_not_confirmed_or_was_withdrawn_or_amended_is_no_miss(patient, dermatologist):
    specimen = sent(photographed(patient, 20), dermatologist)
    first = entered(specimen, dermatologist)
    assert not missed_results(dermatologist).exists()
    confirm_result(result=first, by=dermatologist)
    assert missed_results(dermatologist).get() == first
    second = confirmed(specimen, dermatologist, "nv", reason="Amended")
    assert not missed_results(dermatologist).exists()
    withdraw_result(result=second, by=dermatologist, reason="It was of another patient.")
    assert missed_results(dermatologist).get() == first


def test_photographs_taken_later_and_answers_given_later_do_not_count(patient, dermatologist):
    lesion = photographed(patient, 20, tier="urgent")
    add_photograph(lesion, 5)
    result = confirmed(sent(lesion, dermatologist, age=10), dermatologist)
    image = lesion.images.get(visit__date=result.specimen.sent_on - datetime.timedelta(days=10))
    other = factories.ModelVersionFactory(sha256="d" * 64, name="newer")
    factories.PredictionFactory(image=image, tier="calm", model_version=other)
    assert not missed_results(dermatologist).exists()


def test_the_photographs_before_an_excision_are_missed_once(sign_in, patient, dermatologist):
    lesion = photographed(patient, 40)
    first = confirmed(sent(lesion, dermatologist, age=30, kind="excision"), dermatologist)
    confirmed(sent(lesion, dermatologist, age=10, kind="excision"), dermatologist)
    assert [miss.result for miss in listed(sign_in(dermatologist))] == [first]


def test_another_clinics_misses_are_its_own(sign_in, patient, dermatologist, stranger, clinic, other_clinic):
    confirmed(sent(photographed(patient, 20), dermatologist), dermatologist)
    assert listed(sign_in(stranger)) == []
    assert miss_counts(clinic, days=84).results == {"mel": 1}
    assert miss_counts(other_clinic, days=84).results == {}


def reported(lesion, by, answer: str = ""):
    """The signed report of the lesion's one photograph, with a label or without."""
    image = lesion.images.get()
    if answer:
        record_review(image=image, reviewer=by, answer=answer, certainty="certain")
    return signed_report(image.visit, by)


@pytest.mark.parametrize(
    ("label", "tier", "answer", "expected"),
    [
        ("nv", "urgent", "mel", "miss"),
        ("", "calm", "mel", "miss"),
        ("", "watch", "mel", ""),
        ("", "urgent", "mel", ""),
        ("mel", "calm", "mel", ""),
        ("bcc", "urgent", "mel", "otherwise"),
        ("mel", "urgent", "nv", "otherwise"),
        ("nv", "calm", "nv", ""),
        ("nv", "calm", "cannot_tell", ""),
        ("", "calm", "nv", ""),
    ],
)
def test_a_report_that_said_otherwise_is_noted_and_its_signer_is_told(
    sign_in, patient, dermatologist, label, tier, answer, expected
):
    lesion = photographed(patient, 20, tier=tier)
    report = reported(lesion, dermatologist, label)
    confirmed(sent(lesion, dermatologist), dermatologist, answer)
    rows = list(ContradictedReport.objects.all())
    assert [(row.report, row.is_miss) for row in rows] == ([(report, expected == "miss")] if expected else [])
    told = OutgoingMessage.objects.filter(kind=MessageKind.CONTRADICTED)
    assert [(each.about, each.user) for each in told] == [(row.pk, dermatologist.user) for row in rows]
    page = sign_in(dermatologist).get(report.visit.get_absolute_url()).text
    assert ('id="results-against"' in page) == bool(expected)
    assert metric("dermascan_reports_missed_12w") == ({answer: 1.0} if expected == "miss" else {})
    assert len(listed(sign_in(dermatologist), mine="on")) == (expected == "miss")


def test_the_mail_says_nothing_clinical(patient, dermatologist, mail_server):
    lesion = photographed(patient, 20)
    report = reported(lesion, dermatologist, "nv")
    confirmed(sent(lesion, dermatologist), dermatologist)
    deliver_due()
    ((address, text),) = mail_server.taken
    assert address == dermatologist.user.email
    assert reverse("visit", args=[report.visit_id]) in text
    for word in ("elanoma", "nevus", patient.family_name, patient.record_number, "histo", "biopsy"):
        assert word not in text


def test_a_report_of_an_earlier_year_is_a_miss_too(sign_in, patient, dermatologist):
    lesion = photographed(patient, 700)
    reported(lesion, dermatologist, "nv")
    add_photograph(lesion, 20, tier="urgent")
    confirmed(sent(lesion, dermatologist), dermatologist)
    (miss,) = listed(sign_in(dermatologist))
    assert [row.said for row in miss.reports] == ["Melanocytic nevus (mole)"]
    assert len(miss.answers) == 1


def test_calm_answers_that_histopathology_contradicts_are_counted_apart(clinic, patient, dermatologist):
    lesion = photographed(patient, 20)
    confirmed(sent(lesion, dermatologist), dermatologist)
    image = add_photograph(photographed(patient), 3)
    record_review(image=image, reviewer=dermatologist, answer="mel", certainty="certain")
    diagnoses = diagnoses_of(clinic, days=84)
    assert (diagnoses.missed, diagnoses.proven_missed) == (2, 1)
    assert metric("dermascan_malignant_missed_12w") == {"mel": 2.0}
    assert metric("dermascan_malignant_missed_proven_12w") == {"mel": 1.0}


def test_the_performance_page_leads_to_the_list(sign_in, patient, dermatologist, staff):
    confirmed(sent(photographed(patient, 20), dermatologist), dermatologist)
    address = reverse("outcomes-misses")
    assert address in sign_in(dermatologist).get(reverse("watch")).text
    assert address not in sign_in(staff).get(reverse("watch")).text


def test_the_page_reads_what_was_said_in_few_queries(sign_in, patient, dermatologist, django_assert_max_num_queries):
    for _number in range(11):
        lesion = photographed(patient, 20)
        reported(lesion, dermatologist, "nv")
        confirmed(sent(lesion, dermatologist), dermatologist)
    client = sign_in(dermatologist)
    with django_assert_max_num_queries(25):
        assert len(listed(client)) == 10
    assert len(listed(client, page="2")) == 1
