"""Symptoms belong to a lesion at a visit: what is reported, denied and not asked, and whom it concerns."""

import pytest
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse

from diagnosis.assessment.photographs import photograph_of
from diagnosis.reports.content import SCHEMA, build_content
from diagnosis.reports.report_view import present
from patients.edits import edit_token
from patients.models import LesionSymptoms, Visit, VisitStatus
from patients.services import LesionOfAnotherPatient, VisitIsClosed, record_symptoms, symptoms_at
from patients.services.symptoms import symptom_values
from tests import factories
from tests.hooks import codes, wording

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def client(sign_in, staff):
    return sign_in(staff)


@pytest.fixture
def visit(patient):
    return factories.VisitFactory(patient=patient)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient)


@pytest.fixture
def address(visit, lesion):
    return reverse("lesion-symptoms", args=[visit.pk, lesion.pk])


def calm(visit, lesion):
    image = factories.ImageFactory(visit=visit, lesion=lesion)
    factories.PredictionFactory(image=image, code="nv", tier="calm")
    return image


def sent(visit, lesion, **changes) -> dict[str, str]:
    values = symptom_values(symptoms_at([visit.pk]).get((visit.pk, lesion.pk)))
    return {**values, "made_from": edit_token(values), **changes}


class TestRecording:
    def test_a_no_differs_from_silence(self, client, staff, visit, lesion, address):
        answer = client.post(address, sent(visit, lesion, bleeding="yes", pain="no", since="three weeks"))
        assert answer.url == visit.get_absolute_url()
        row = LesionSymptoms.objects.get()
        assert (row.visit, row.lesion, row.recorded_by) == (visit, lesion, staff)
        assert (row.reported, row.warnings, row.denied) == (["bleeds"], ["bleeds"], ["hurts"])
        assert row.not_asked == ["itches", "has grown or changed"]
        page = client.get(visit.get_absolute_url()).text
        for words in ("bleeds", "three weeks", "denied: hurts", "not asked"):
            assert words in page

    def test_the_newest_statement_counts_and_the_others_stay(self, client, visit, lesion, address):
        client.post(address, sent(visit, lesion, bleeding="yes"))
        client.post(address, sent(visit, lesion, bleeding="no"))
        assert list(LesionSymptoms.objects.order_by("number").values_list("bleeding", flat=True)) == ["yes", "no"]
        assert symptoms_at([visit.pk])[visit.pk, lesion.pk].reported == []

    def test_the_same_statement_again_adds_nothing(self, client, visit, lesion, address):
        form = sent(visit, lesion, bleeding="yes")
        for _ in range(2):
            assert client.post(address, form).status_code == 302
        assert LesionSymptoms.objects.count() == 1

    @pytest.mark.parametrize(
        ("changes", "field"),
        [({"itch": "maybe"}, "itch"), ({"since": "x" * 101}, "since"), ({"since": "a\0"}, "since")],
    )
    def test_says_what_to_change(self, client, visit, lesion, address, changes, field):
        for headers, status in (({}, 200), (HTMX, 422)):
            response = client.post(address, sent(visit, lesion, **changes), **headers)
            assert (response.status_code, list(response.context["form"].errors)) == (status, [field])
        assert not LesionSymptoms.objects.exists()

    def test_a_stale_form_does_not_undo_a_colleagues_statement(self, client, dermatologist, visit, lesion, address):
        stale = sent(visit, lesion, bleeding="no")
        record_symptoms(visit=visit, lesion=lesion, by=dermatologist, bleeding="yes")
        response = client.post(address, stale)
        assert response.status_code == 409
        assert [row.field.name for row in response.context["form"].conflict.differences] == ["bleeding"]
        assert LesionSymptoms.objects.get().bleeding == "yes"

    def test_in_place_the_row_replaces_the_form(self, client, visit, lesion, address):
        assert "<html" not in client.get(address, **HTMX).text
        saved = client.post(address, sent(visit, lesion, bleeding="yes", back="/visits/"), **HTMX)
        assert "<html" not in saved.text
        assert "bleeds" in saved.text
        assert 'href="/visits/"' in saved.text

    def test_a_signed_visit_is_frozen(self, client, staff, visit, lesion, address):
        form = sent(visit, lesion, bleeding="yes")
        Visit.objects.filter(pk=visit.pk).update(status=VisitStatus.SIGNED)
        assert client.get(address).url == visit.get_absolute_url()
        response = client.post(address, form)
        assert (response.status_code, response.context["form"].is_closed) == (409, True)
        with pytest.raises(VisitIsClosed):
            record_symptoms(visit=visit, lesion=lesion, by=staff, bleeding="yes")
        assert not LesionSymptoms.objects.exists()

    def test_a_lesion_of_another_patient_is_refused(self, client, staff, visit):
        other = factories.LesionFactory(patient__clinic=staff.clinic)
        assert client.get(reverse("lesion-symptoms", args=[visit.pk, other.pk])).status_code == 404
        with pytest.raises(LesionOfAnotherPatient):
            record_symptoms(visit=visit, lesion=other, by=staff, bleeding="yes")


@pytest.mark.parametrize("name", ["itch", "pain", "bleeding", "growth"])
def test_the_database_refuses_an_unknown_answer(lesion, name):
    with pytest.raises(IntegrityError, match=f"{name}_of_the_lesion_is_known"), transaction.atomic():
        factories.LesionSymptomsFactory(lesion=lesion, **{name: "hm"})


def test_the_database_counts_statements_once_from_one(visit, lesion):
    with pytest.raises(IntegrityError, match="lesion_symptoms_number_starts_at_one"), transaction.atomic():
        factories.LesionSymptomsFactory(lesion=lesion, visit=visit, number=0)
    factories.LesionSymptomsFactory(lesion=lesion, visit=visit, number=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.LesionSymptomsFactory(lesion=lesion, visit=visit, number=1)


def test_a_statement_is_never_overwritten(lesion):
    row = factories.LesionSymptomsFactory(lesion=lesion, bleeding="yes")
    with pytest.raises(IntegrityError, match="lesion_symptoms_are_append_only"), transaction.atomic():
        LesionSymptoms.objects.filter(pk=row.pk).update(bleeding="no")


class TestWhomItConcerns:
    @pytest.mark.parametrize("symptom", ["pain", "bleeding", "growth"])
    def test_a_warning_symptom_concerns_its_lesion_alone(self, client, visit, lesion, symptom):
        other = factories.LesionFactory(patient=visit.patient)
        own, of_the_other = calm(visit, lesion), calm(visit, other)
        factories.LesionSymptomsFactory(visit=visit, lesion=lesion, **{symptom: "yes"})
        assert photograph_of(own).chip_of_answer.tone == "watch"
        assert photograph_of(of_the_other).chip_of_answer.tone == "calm"
        page = client.get(own.get_absolute_url()).text
        assert "symptoms" in codes(page)
        assert "symptoms_of_the_visit" not in codes(page)
        assert wording("Nothing needs doing today") not in page

    @pytest.mark.parametrize("answers", [{"bleeding": "no"}, {"itch": "yes"}, {}])
    def test_a_no_an_itch_and_silence_change_nothing(self, visit, lesion, answers):
        image = calm(visit, lesion)
        factories.LesionSymptomsFactory(visit=visit, lesion=lesion, **answers)
        assert photograph_of(image).chip_of_answer.tone == "calm"

    def test_it_counts_at_that_visit_only(self, visit, lesion):
        image = calm(factories.VisitFactory(patient=visit.patient), lesion)
        factories.LesionSymptomsFactory(visit=visit, lesion=lesion, bleeding="yes")
        assert photograph_of(image).chip_of_answer.tone == "calm"

    def test_a_symptom_of_an_earlier_visit_as_a_whole_concerns_every_lesion(self, client, visit, lesion):
        Visit.objects.filter(pk=visit.pk).update(bleeding=True)
        visit.refresh_from_db()
        for image in (calm(visit, lesion), calm(visit, factories.LesionFactory(patient=visit.patient))):
            factories.LesionSymptomsFactory(visit=visit, lesion=image.lesion, bleeding="no")
            assert photograph_of(image).chip_of_answer.tone == "watch", "a no for one lesion does not say which it was"
            page = client.get(image.get_absolute_url()).text
            assert "symptoms_of_the_visit" in codes(page)
            assert "lesion_not_stated" in codes(page)


class TestReport:
    def test_the_content_holds_them_for_each_lesion(self, visit, lesion):
        calm(visit, lesion)
        calm(visit, factories.LesionFactory(patient=visit.patient))
        factories.LesionSymptomsFactory(visit=visit, lesion=lesion, bleeding="yes", pain="no", since="since June")
        content = build_content(visit)
        assert (content["schema"], SCHEMA) == ("dermascan-report/4", "dermascan-report/4")
        told = [lesion["symptoms"] for lesion in content["lesions"]]
        assert told == [
            {
                "reported": ["bleeds"],
                "denied": ["hurts"],
                "not_asked": ["itches", "has grown or changed"],
                "since": "since June",
            },
            None,
        ]
        html = render_to_string("reports/report.html", {"title": "", "content": present(content)})
        words = "bleeds (since June); denied: hurts; not asked: itches, has grown or changed"
        assert words in html
        assert wording("Symptoms not asked") in html
        assert "None recorded" not in html

    def test_earlier_reports_are_shown_as_before(self, visit, lesion):
        calm(visit, lesion)
        content = build_content(visit)
        content["schema"] = "dermascan-report/3"
        for each in content["lesions"]:
            del each["symptoms"]
        html = render_to_string("reports/report.html", {"title": "", "content": present(content)})
        assert "None recorded" in html
        assert "not asked" not in html
