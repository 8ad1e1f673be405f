"""The pages of specimens, results and closed lesions, as clinic members use them."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image as PillowImage

from diagnosis.outcomes.models import LesionClosure, PathologyResult, Specimen
from diagnosis.outcomes.states import outcome_of
from diagnosis.reviews.models import Review
from mlmodel.pictures.picture_errors import MAX_BYTES
from tests import factories
from tests.diagnosis.outcomes.records import PDF, answers_of, confirmed, days_ago, entered, photographed, sent
from tests.page_forms import forms_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesion(patient):
    return photographed(patient, 20)


@pytest.fixture
def specimen(lesion, staff):
    return sent(lesion, staff, number="H26-1")


def sent_form(client, address: str, **changes):
    """Open the page, fill its form in, and send it."""
    page = client.get(address)
    assert page.status_code == 200
    (form,) = [each for each in forms_of(page.text) if each.method == "post" and each.names & set(changes)]
    data = {name: values[-1] for name, values in form.data.items() if values}
    return client.post(address, {**data, **changes})


RESULT = {"answer": "nv", "margins": "clear", "received_on": days_ago(0).isoformat()}


def test_from_sending_to_the_label(sign_in, lesion, staff, dermatologist):
    nurse, doctor = sign_in(staff), sign_in(dermatologist)
    answer = sent_form(nurse, reverse("specimen-new", args=[lesion.pk]), kind="excision", number=" H26-9 ")
    assert answer.status_code == 302
    specimen = Specimen.objects.get()
    assert (specimen.number, specimen.kind, specimen.sent_by) == ("H26-9", "excision", staff)
    assert reverse("pathology-new", args=[specimen.pk]) in nurse.get(lesion.get_absolute_url()).text

    facts = {**RESULT, "answer": "mel", "invasion": "invasive", "breslow_mm": "1.2", "ulceration": "yes"}
    file = SimpleUploadedFile("Report of Mrs O.pdf", PDF, "text/html")
    answer = sent_form(nurse, reverse("pathology-new", args=[specimen.pk]), **facts, file=file)
    result = PathologyResult.objects.get()
    assert answer["Location"] == result.get_absolute_url()
    assert (str(result.breslow_mm), result.ulceration, result.file_type) == ("1.20", "yes", "application/pdf")
    assert answers_of(lesion) == {20: ""}
    page = nurse.get(result.get_absolute_url())
    assert reverse("pathology-confirm", args=[result.pk]) not in page.text, "staff cannot confirm"
    assert reverse("image-file", args=[lesion.images.get().pk, "thumbnail"]) in page.text

    doctor.post(reverse("pathology-confirm", args=[result.pk]))
    assert answers_of(lesion) == {20: "mel"}
    assert Review.objects.get().reviewer == dermatologist
    assert "Breslow 1.2 mm" in doctor.get(lesion.get_absolute_url()).text


def test_the_file_is_a_download_for_members_alone(sign_in, specimen, staff, stranger, patient_user):
    file = SimpleUploadedFile("bericht.pdf", PDF, "application/pdf")
    sent_form(sign_in(staff), reverse("pathology-new", args=[specimen.pk]), **RESULT, file=file)
    address = reverse("pathology-file", args=[PathologyResult.objects.get().pk])
    answer = sign_in(staff).get(address)
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="bericht.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store, private"
    assert sign_in(stranger).get(address).status_code == 404
    assert sign_in(patient_user).get(address).status_code == 403


def test_a_result_without_a_file_has_no_download(sign_in, specimen, staff):
    result = entered(specimen, staff)
    assert sign_in(staff).get(reverse("pathology-file", args=[result.pk])).status_code == 404


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    PillowImage.new("RGB", (40, 30), "white").save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(("data", "media_type"), [(PDF, "application/pdf"), (picture("PNG"), "image/png")])
def test_a_pdf_or_a_picture_is_recognised_by_its_bytes(sign_in, specimen, staff, data, media_type):
    file = SimpleUploadedFile("report.exe", data, "application/octet-stream")
    sent_form(sign_in(staff), reverse("pathology-new", args=[specimen.pk]), **RESULT, file=file)
    assert PathologyResult.objects.get().file_type == media_type


@pytest.mark.parametrize(
    "data",
    [b"", b"<script>alert(1)</script>", PDF[:-7], b"GIF89a", picture("PNG")[:-20], PDF[:5] + bytes(MAX_BYTES)],
    ids=["empty", "script", "cut PDF", "beginning of a GIF", "cut PNG", "too large"],
)
def test_other_files_are_refused_in_words_and_nothing_is_stored(sign_in, specimen, staff, settings, tmp_path, data):
    settings.MEDIA_ROOT = tmp_path
    file = SimpleUploadedFile("report.pdf", data, "application/pdf")
    answer = sent_form(sign_in(staff), reverse("pathology-new", args=[specimen.pk]), **RESULT, file=file)
    assert answer.status_code == 422
    assert "file" in answer.context["form"].errors
    assert not PathologyResult.objects.exists()
    assert list(tmp_path.rglob("*-report")) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"answer": "bunion"}, "answer"),
        ({"answer": ""}, "answer"),
        ({"answer": "not_a_lesion"}, "answer"),
        ({"answer": "other"}, "other_text"),
        ({"answer": "other_benign", "other_text": "melanom"}, "other_text"),
        ({"answer": "other", "other_text": "x" * 300}, "other_text"),
        ({"invasion": "invasive"}, "invasion"),
        ({"breslow_mm": "1"}, "breslow_mm"),
        ({"answer": "mel", "invasion": "in_situ", "breslow_mm": "1"}, "breslow_mm"),
        ({"answer": "mel", "invasion": "invasive", "breslow_mm": "0"}, "breslow_mm"),
        ({"answer": "mel", "invasion": "invasive", "breslow_mm": "51"}, "breslow_mm"),
        ({"answer": "mel", "invasion": "invasive", "breslow_mm": "NaN"}, "breslow_mm"),
        ({"answer": "mel", "invasion": "invasive", "breslow_mm": "1e400"}, "breslow_mm"),
        ({"answer": "mel", "ulceration": "yes"}, "ulceration"),
        ({"margins": "wide"}, "margins"),
        ({"received_on": "2999-01-01"}, "received_on"),
        ({"received_on": days_ago(11).isoformat()}, "received_on"),
        ({"received_on": "31/02/2026"}, "received_on"),
        ({"report_text": "x" * 20_000}, "report_text"),
        ({"reported_by": "a\0b"}, "reported_by"),
    ],
)
def test_a_result_that_cannot_be_is_refused_at_its_field(sign_in, specimen, staff, changes, field):
    answer = sent_form(sign_in(staff), reverse("pathology-new", args=[specimen.pk]), **{**RESULT, **changes})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not PathologyResult.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "scrape"}, "kind"),
        ({"sent_on": "2999-01-01"}, "sent_on"),
        ({"sent_on": "1900-01-01"}, "sent_on"),
        ({"sent_on": ""}, "sent_on"),
        ({"sent_by": "somebody"}, "sent_by"),
        ({"visit": "00000000-0000-4000-8000-000000000000"}, "visit"),
        ({"number": "x" * 41}, "number"),
        ({"number": "h26 1"}, "number"),
    ],
)
def test_a_specimen_that_cannot_be_is_refused_at_its_field(sign_in, specimen, lesion, staff, changes, field):
    address = reverse("specimen-new", args=[lesion.pk])
    answer = sent_form(sign_in(staff), address, **{"kind": "punch", **changes})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert Specimen.objects.count() == 1


def test_people_of_another_clinic_cannot_be_chosen(sign_in, lesion, staff, stranger):
    address = reverse("specimen-new", args=[lesion.pk])
    assert sent_form(sign_in(staff), address, kind="punch", sent_by=str(stranger.pk)).status_code == 422
    other = factories.VisitFactory(patient__clinic=staff.clinic)
    assert sent_form(sign_in(staff), address, kind="punch", visit=str(other.pk)).status_code == 422
    assert not Specimen.objects.exists()


def test_a_stale_form_is_held_and_can_be_sent_again(sign_in, lesion, staff):
    client, address = sign_in(staff), reverse("specimen-new", args=[lesion.pk])
    (form,) = [each for each in forms_of(client.get(address).text) if "kind" in each.names]
    data = {name: values[-1] for name, values in form.data.items() if values} | {"kind": "punch"}
    sent(lesion, staff)
    answer = client.post(address, data)
    assert answer.status_code == 409
    assert Specimen.objects.count() == 1
    assert answer.context["form"]["made_from"].value() == outcome_of(lesion).token
    data |= {"made_from": answer.context["form"]["made_from"].value()}
    assert client.post(address, data).status_code == 302
    assert Specimen.objects.count() == 2


def test_without_its_token_nothing_is_recorded(sign_in, specimen, staff):
    answer = sign_in(staff).post(reverse("pathology-new", args=[specimen.pk]), RESULT)
    assert answer.status_code == 409
    assert not PathologyResult.objects.exists()


def test_an_amended_result_needs_its_reason(sign_in, specimen, staff):
    entered(specimen, staff)
    address = reverse("pathology-new", args=[specimen.pk])
    answer = sent_form(sign_in(staff), address, **RESULT, reason="")
    assert (answer.status_code, "reason" in answer.context["form"].errors) == (422, True)
    assert sent_form(sign_in(staff), address, **RESULT, reason="The laboratory amended it.").status_code == 302
    assert PathologyResult.objects.newest().get().number == 2


def test_words_that_name_a_diagnosis_are_recorded_by_its_code(sign_in, specimen, staff):
    address = reverse("pathology-new", args=[specimen.pk])
    sent_form(sign_in(staff), address, **{**RESULT, "answer": "other_malignant", "other_text": "Merkel cell cancer"})
    assert PathologyResult.objects.get().answer == "merkel"


def test_a_lesion_is_closed_and_reopened(sign_in, lesion, dermatologist, staff):
    doctor = sign_in(dermatologist)
    close, reopen = (reverse(f"lesion-{name}", args=[lesion.pk]) for name in ("close", "reopen"))
    assert sent_form(doctor, close, why="other", note="").status_code == 422
    assert sent_form(doctor, close, why="gone").status_code == 302
    page = sign_in(staff).get(lesion.get_absolute_url()).text
    assert reverse("specimen-new", args=[lesion.pk]) not in page
    assert reopen not in page
    assert sign_in(staff).get(reverse("specimen-new", args=[lesion.pk])).status_code == 302
    assert sent_form(doctor, reopen, reason="  ").status_code == 422
    assert sent_form(doctor, reopen, reason="It has come back.").status_code == 302
    closure = LesionClosure.objects.get()
    assert (closure.why, closure.closed_by, closure.reopened_by) == ("gone", dermatologist, dermatologist)


def test_mistakes_are_withdrawn_with_their_reason(sign_in, specimen, staff, dermatologist):
    result = confirmed(specimen, dermatologist)
    address = reverse("pathology-withdraw", args=[result.pk])
    assert sign_in(staff).post(address, {"reason": "It is not hers."}).status_code == 403
    assert sent_form(sign_in(dermatologist), address, reason="It is not hers.").status_code == 302
    assert answers_of(specimen.lesion) == {20: ""}
    address = reverse("specimen-withdraw", args=[specimen.pk])
    assert sent_form(sign_in(staff), address, reason="It was of lesion 2.").status_code == 302
    specimen.refresh_from_db()
    assert (specimen.withdrawn_by, specimen.withdrawal_reason) == (staff, "It was of lesion 2.")


class TestAwaited:
    def rows(self, client, **query):
        answer = client.get(reverse("outcomes-awaited"), query)
        assert answer.status_code == 200
        return [specimen for specimen, _result in answer.context["rows"]]

    def test_the_oldest_comes_first_and_late_ones_are_marked(self, sign_in, patient, staff, dermatologist, stranger):
        new, late, older = (sent(photographed(patient, 90), staff, age=age) for age in (3, 31, 60))
        confirmed(sent(photographed(patient, 90), staff, age=70), dermatologist)
        on_time = sent(photographed(patient, 90), staff, age=30)
        sent(photographed(factories.PatientFactory(clinic=stranger.clinic), 90), stranger, age=80)
        client = sign_in(staff)
        assert self.rows(client) == [older, late, on_time, new]
        assert self.rows(client, waiting="late") == [older, late]
        counts = dict(client.get(reverse("outcomes-awaited")).context["tabs"])
        assert counts == {"result": 4, "late": 2, "confirmation": 0}

    def test_what_is_to_be_confirmed_is_listed_malignant_ones_first(self, sign_in, patient, staff, dermatologist):
        benign, malignant = (sent(photographed(patient, 90), staff, age=age) for age in (9, 3))
        entered(benign, staff, "nv")
        entered(malignant, staff, "scc")
        assert self.rows(sign_in(dermatologist), waiting="confirmation") == [malignant, benign]

    def test_filters_narrow_it(self, sign_in, patient, staff, dermatologist):
        mine = sent(photographed(patient, 90), staff, number="H26-55", laboratory="County Pathology")
        other = sent(photographed(patient, 90), dermatologist, kind="excision")
        client = sign_in(staff)
        assert self.rows(client, kind="excision") == [other]
        assert self.rows(client, mine="on") == [mine]
        assert self.rows(client, laboratory="county") == [mine]
        assert self.rows(client, number="h26 5") == [mine]
        assert self.rows(client, number="nothing like it") == []

    @pytest.mark.parametrize(
        "query", [{"waiting": "'"}, {"kind": "x"}, {"page": "10" * 30}, {"number": "\0"}, {"laboratory": "%_\0" * 99}]
    )
    def test_hostile_queries_are_answered(self, sign_in, specimen, staff, query):
        self.rows(sign_in(staff), **query)

    def test_it_has_pages(self, sign_in, patient, staff, django_assert_max_num_queries):
        lesion = photographed(patient, 90)
        for number in range(30):
            sent(lesion, staff, number=f"H26-{number}")
        client = sign_in(staff)
        with django_assert_max_num_queries(25):
            assert len(self.rows(client)) == 25
        assert len(self.rows(client, page=2)) == 5
