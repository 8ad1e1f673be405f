"""Addenda to signed reports: who may add them, what they contain, who reads them, and that nothing alters them."""

import hashlib
import json
import subprocess

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.reports.addenda import WordsMissing, draft_addendum, sign_addendum
from diagnosis.reports.addendum_content import present_addendum
from diagnosis.reports.drafts import VisitChanged
from diagnosis.reports.models import Addendum, Report
from diagnosis.reports.validity import unreported_changes_of
from diagnosis.reviews.services import record_review
from tests import factories
from tests.diagnosis.reporting import MELANOMA, NEVUS, confirm, photographed_visit, signed_addendum, signed_report
from tests.hooks import codes, error_codes, wording


@pytest.fixture
def visit(patient):
    return photographed_visit(patient, MELANOMA, plan="Come back in two weeks.")


@pytest.fixture
def report(visit, dermatologist):
    return signed_report(visit, dermatologist, released=True)


def stored_addenda() -> list[str]:
    """Every file under addenda/, whatever its folder."""
    folders = default_storage.listdir("addenda")[0] if default_storage.exists("addenda") else []
    return sorted(name for folder in folders for name in default_storage.listdir(f"addenda/{folder}")[1])


# --- Changes since signing -------------------------------------------------------------------------------------------


def test_reviews_after_the_signature_are_seen_beside_the_report(sign_in, visit, report, dermatologist, staff):
    client, url = sign_in(dermatologist), reverse("visit", args=[visit.pk])
    assert "report_no_longer_valid" not in codes(client.get(url).content.decode())
    confirm(visit, dermatologist, code="mel")
    text = " ".join(client.get(url).content.decode().split())
    assert "labels_since" in codes(text)
    assert "Melanoma <span" in text
    assert "signed_without_label" in codes(text)
    assert reverse("visit-addendum", args=[visit.pk]) in text
    assert reverse("visit-addendum", args=[visit.pk]) not in sign_in(staff).get(url).content.decode()


def test_what_an_addendum_has_told_is_not_told_again(visit, report, dermatologist):
    confirm(visit, dermatologist, code="mel")
    assert [since.now.code for since in unreported_changes_of(report).labels] == ["mel"]
    signed_addendum(report, dermatologist)
    assert unreported_changes_of(report).labels == []
    confirm(visit, dermatologist, code="nv")
    (since,) = unreported_changes_of(report).labels
    assert (since.then.code, since.now.code) == ("mel", "nv")


def test_other_words_for_something_else_are_another_label(visit, dermatologist):
    confirm(visit, dermatologist, code="other", other_text="Clear cell acanthoma")
    report = signed_report(visit, dermatologist)
    assert unreported_changes_of(report).labels == []
    confirm(visit, dermatologist, code="other", other_text="Epidermal nevus")
    (since,) = unreported_changes_of(report).labels
    assert "acanthoma" in since.then.name
    assert "Epidermal" in since.now.name


def test_the_photographs_page_says_so_until_it_is_added(sign_in, visit, report, dermatologist, staff):
    url, addendum = visit.images.get().get_absolute_url(), reverse("visit-addendum", args=[visit.pk])
    assert "contradicted_reports" not in codes(sign_in(dermatologist).get(url).content.decode())
    confirm(visit, dermatologist, code="nv")
    page = sign_in(dermatologist).get(url).content.decode()
    assert "contradicted_reports" in codes(page)
    assert addendum in page
    assert addendum not in sign_in(staff).get(url).content.decode()
    signed_addendum(report, dermatologist)
    assert "contradicted_reports" not in codes(sign_in(dermatologist).get(url).content.decode())


@pytest.mark.usefixtures("network_shown")
def test_a_review_in_the_queue_leads_to_the_addendum(sign_in, visit, report, dermatologist):
    client, url = sign_in(dermatologist), reverse("admin:review-photograph", args=[visit.images.get().pk])
    addendum = reverse("visit-addendum", args=[visit.pk])
    assert addendum not in client.get(url).content.decode()
    answer = {"answer": "mel", "certainty": "certain", "basis": "histopathology", "reason": "", "other_text": ""}
    shown = client.post(url, answer, follow=True).content.decode()
    assert "contradicts this" in shown
    assert addendum in shown
    colleague = sign_in(factories.MemberFactory(clinic=visit.patient.clinic, role="dermatologist"))
    colleague.post(reverse("admin:review-mode"), {"blinded": "on"})
    assert addendum not in colleague.get(url).content.decode(), "a blinded reader is told nothing"


# --- Signing ---------------------------------------------------------------------------------------------------------


def test_only_a_dermatologist_of_the_clinic_adds(report, staff, stranger):
    for member in (staff, stranger):
        with pytest.raises(PermissionDenied):
            sign_addendum(report=report, by=member, words="The laboratory has answered.")
    assert not Addendum.objects.exists()


@pytest.mark.parametrize("words", ["", " \r\n\t "])
def test_words_are_needed(report, dermatologist, words):
    with pytest.raises(WordsMissing):
        sign_addendum(report=report, by=dermatologist, words=words)


def test_a_label_that_was_not_seen_is_not_signed(visit, report, dermatologist):
    seen = draft_addendum(report=report).fingerprint
    confirm(visit, dermatologist, code="mel")
    with pytest.raises(VisitChanged):
        sign_addendum(report=report, by=dermatologist, words="All is well.", seen=seen)
    assert not Addendum.objects.exists()


@pytest.mark.slow
def test_the_addendum_from_the_page_to_the_patient(sign_in, visit, report, dermatologist, patient_user):
    confirm(visit, dermatologist, code="mel")
    client, url = sign_in(dermatologist), reverse("visit-addendum", args=[visit.pk])
    page = client.get(url)
    assert "Melanoma" in page.content.decode()
    assert "patient_reads_at_once" in codes(page.content.decode())

    seen = page.context["form"]["seen"].value()
    refused = client.post(url, {"words": " ", "replaces_plan": "yes", "seen": seen})
    assert refused.status_code == 422
    assert error_codes(refused) == {"words": ["required"]}

    words = "Histology says <b>melanoma</b>.\r\nCome on Monday."
    sent = {"words": words, "replaces_plan": "yes", "seen": seen}
    response = client.post(url, sent, follow=True)
    assert "patient_reads_now" in codes(response.content.decode())
    assert "report_no_longer_valid" not in codes(response.content.decode())
    addendum = report.addenda.get()
    assert (addendum.number, addendum.signed_by) == (1, dermatologist)
    content = json.loads(addendum.content)
    assert content["words"] == words.replace("\r\n", "\n")
    assert content["of_report"] == {"id": str(report.pk), "content_sha256": report.content_sha256}
    (label,) = content["labels"]
    assert (label["then"]["name"], label["now"]["code"]) == ("", "mel")

    # Sent twice, it is signed once; other words were written for a report as it is no longer.
    assert client.post(url, sent)["Location"] == visit.get_absolute_url()
    assert report.addenda.count() == 1
    stale = client.post(url, {**sent, "words": "Come on Tuesday."})
    assert stale.status_code == 422
    assert "visit_changed" in codes(stale.content.decode())
    assert "Come on Tuesday." in stale.content.decode(), "what was typed stays"
    assert report.addenda.count() == 1

    # The report is what it was, and the patient reads both.
    assert Report.objects.get(pk=report.pk).content == report.content
    patient = sign_in(patient_user)
    own = patient.get(reverse("my-visit", args=[visit.pk])).content.decode()
    assert "Histology says &lt;b&gt;melanoma&lt;/b&gt;." in own
    since = own.index("Your dermatologist’s assessment since")
    # What is malignant is as red there as in the report, and stands before what the software said.
    assert own.index("tier tier-urgent") < since < own.index(wording("What the software said before"))
    assert wording("This is what the software says") not in own, "what it advised is out of date"
    assert wording("what was added above counts.") in own
    assert "has_addendum" in codes(patient.get(reverse("my-visits")).content.decode())
    pdf = patient.get(reverse("addendum-pdf", args=[addendum.pk]))
    assert hashlib.sha256(pdf.content).hexdigest() == addendum.pdf_sha256
    assert "addendum-1.pdf" in pdf["Content-Disposition"]
    text = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=pdf.content, capture_output=True, check=True
    ).stdout.decode()
    assert "Histology says <b>melanoma</b>." in text
    assert addendum.content_sha256 in text
    assert report.content_sha256 in text
    assert "Melanoma" in text
    data = patient.get(reverse("addendum-json", args=[addendum.pk]))
    assert hashlib.sha256(data.content).hexdigest() == addendum.content_sha256


def test_of_two_at_once_one_is_signed(report, dermatologist, monkeypatch):
    """Another dermatologist signs while the PDF is made."""

    def slow_render(*args, **kwargs):
        signed_addendum(report, dermatologist, words="I was quicker.")
        return b"%PDF-1.7"

    monkeypatch.setattr("diagnosis.reports.addenda.render_addendum", slow_render)
    with pytest.raises(VisitChanged):
        sign_addendum(report=report, by=dermatologist, words="I was slower.")
    assert [addendum.words for addendum in report.addenda.all()] == ["I was quicker."]


def test_a_failed_signature_leaves_nothing_behind(report, dermatologist, monkeypatch):
    def fail(*args, **kwargs):
        raise IntegrityError("The disk is full.")

    before = stored_addenda()
    monkeypatch.setattr("diagnosis.reports.addenda.render_addendum", lambda *args, **kwargs: b"%PDF-1.7")
    monkeypatch.setattr(Addendum, "save", fail)
    with pytest.raises(IntegrityError):
        sign_addendum(report=report, by=dermatologist, words="The laboratory has answered.")
    assert stored_addenda() == before


def test_an_open_visit_is_changed_itself(sign_in, visit, dermatologist):
    page = sign_in(dermatologist).get(reverse("visit-addendum", args=[visit.pk]), follow=True)
    assert "not_signed" in codes(page.content.decode())


@pytest.mark.parametrize("words", ["\0", "x" * 10_001])
def test_words_that_cannot_be_kept_are_a_form_error(sign_in, visit, report, dermatologist, words):
    response = sign_in(dermatologist).post(reverse("visit-addendum", args=[visit.pk]), {"words": words, "seen": ""})
    assert response.status_code == 422
    assert not Addendum.objects.exists()


# --- Readers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["addendum-pdf", "addendum-json"])
def test_it_is_read_by_whoever_reads_the_report(sign_in, patient, dermatologist, stranger, patient_user, name):
    report = signed_report(photographed_visit(patient, MELANOMA), dermatologist)
    url = reverse(name, args=[signed_addendum(report, dermatologist).pk])
    assert sign_in(dermatologist).get(url).status_code == 200
    assert sign_in(stranger).get(url).status_code == 404
    assert sign_in(patient_user).get(url).status_code == 404, "the report is not released"
    Report.objects.filter(pk=report.pk).update(released_by=dermatologist, released_at=report.signed_at)
    assert sign_in(patient_user).get(url).status_code == 200
    assert sign_in(factories.UserFactory()).get(url).status_code == 404


def test_an_altered_addendum_is_refused_loudly(sign_in, visit, report, dermatologist):
    addendum = signed_addendum(report, dermatologist)
    addendum.pdf.storage.delete(str(addendum.pdf.name))
    response = sign_in(dermatologist).get(reverse("addendum-pdf", args=[addendum.pk]))
    assert response.status_code == 409
    assert str(addendum.pk) in response.content.decode()


# --- Database constraints --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"content": "{}"}, {"content_sha256": "0" * 64}, {"number": 7}, {"signed_at": "2020-01-01T00:00:00Z"}],
    ids=lambda change: next(iter(change)),
)
def test_the_database_refuses_to_alter_an_addendum(report, dermatologist, change):
    addendum = signed_addendum(report, dermatologist)
    with pytest.raises(IntegrityError, match="addendum_is_frozen"), transaction.atomic():
        Addendum.objects.filter(pk=addendum.pk).update(**change)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"number": 1}, "report_id|of_its_own"),  # SQLite names the columns, PostgreSQL the constraint
        ({"number": 0}, "addendum_numbers_begin_at_one"),
        ({"number": 2, "content_sha256": "not a hash"}, "addendum_is_hashed"),
        ({"number": 2, "pdf_sha256": "not a hash"}, "addendum_is_hashed"),
    ],
)
def test_the_database_refuses_a_wrong_addendum(report, dermatologist, change, constraint):
    copy = Addendum.objects.get(pk=signed_addendum(report, dermatologist).pk)
    copy._state.adding, copy.pk = True, None
    for field, value in change.items():
        setattr(copy, field, value)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        copy.save(force_insert=True)


# --- Several photographs and contradictions --------------------------------------------------------------------------


def test_of_several_photographs_the_one_that_changed_is_named(sign_in, patient, dermatologist, patient_user):
    visit = photographed_visit(patient, MELANOMA, NEVUS)
    first, second = visit.images.order_by("created_at", "pk")
    for image in (first, second):
        record_review(image=image, reviewer=dermatologist, answer="mel", certainty="certain", reason="Histology.")
    report = signed_report(visit, dermatologist, released=True)
    record_review(image=second, reviewer=dermatologist, answer="nv", certainty="certain", reason="Mixed up.")

    client = sign_in(dermatologist)
    seen = " ".join(client.get(reverse("visit", args=[visit.pk])).content.decode().split())
    assert "</a>, photograph 2 of 2: Melanocytic nevus (mole)" in seen
    contradiction = "contradict each other: Melanoma, Melanocytic nevus (mole). Correct one, or explain both."
    assert contradiction in seen
    writing = client.get(reverse("visit-addendum", args=[visit.pk])).content.decode()
    assert "photograph 2 of 2" in writing
    assert contradiction in writing

    signed_addendum(report, dermatologist)

    own = " ".join(sign_in(patient_user).get(reverse("my-visit", args=[visit.pk])).content.decode().split())
    assert "photograph 2 of 2: <strong>Melanocytic nevus (mole)</strong>" in own


def test_labels_of_one_lesion_that_contradict_each_other_are_asked_about_before_signing(
    sign_in, patient, dermatologist
):
    visit = photographed_visit(patient, MELANOMA, NEVUS)
    for image, answer in zip(visit.images.order_by("created_at", "pk"), ("mel", "nv"), strict=True):
        record_review(image=image, reviewer=dermatologist, answer=answer, certainty="certain", reason="Histology.")
    page = sign_in(dermatologist).get(reverse("visit-sign", args=[visit.pk])).content.decode()
    assert "contradict each other" in page


def test_addenda_of_before_photographs_were_named_are_still_read(report, visit, dermatologist):
    confirm(visit, dermatologist, code="mel")
    content = json.loads(signed_addendum(report, dermatologist).content)
    for label in content["labels"]:
        del label["which"]
    assert present_addendum(content)["labels"][0]["which"] == ""
