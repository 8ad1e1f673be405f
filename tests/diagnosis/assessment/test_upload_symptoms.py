"""Symptoms that are stated while photographs are uploaded: they belong to the lesion at that visit."""

import json

import pytest
from django.urls import reverse

from diagnosis.images.models import Image
from patients.models import LesionSymptoms, VisitStatus
from patients.services import record_symptoms
from tests import factories
from tests.diagnosis.photographing import sample, upload_of


@pytest.fixture
def visit(patient, staff):
    return factories.VisitFactory(patient=patient, clinician=staff)


@pytest.fixture
def lesion(patient):
    return factories.LesionFactory(patient=patient, number=1)


@pytest.fixture
def client(staff, sign_in):
    return sign_in(staff)


@pytest.fixture
def send(client, visit, lesion):
    """Send a photograph as the script does, or as the plain form does."""

    def _send(number=0, *, script=True, **symptoms):
        data = {"lesion": str(lesion.pk), "files": upload_of(sample(number))}
        data |= {f"symptom-{name}": value for name, value in symptoms.items()}
        headers = {"Accept": "application/json"} if script else {}
        return client.post(reverse("upload", args=[visit.pk]), data, headers=headers)

    return _send


def stated(lesion) -> tuple[str, ...]:
    row = LesionSymptoms.objects.filter(lesion=lesion).order_by("-number").first()
    return (row.itch, row.pain, row.bleeding, row.growth, row.since) if row else ()


def test_they_are_recorded_with_the_photograph_and_warn_at_once(send, lesion, visit, staff):
    body = json.loads(send(bleeding="yes", itch="no", since="a month").content)
    assert stated(lesion) == ("no", "", "yes", "", "a month")
    row = LesionSymptoms.objects.get()
    assert (row.visit, row.recorded_by) == (visit, staff)
    assert "note" not in body
    assert body["badge"] != "calm"


@pytest.mark.parametrize("script", [True, False])
def test_none_are_recorded_where_none_are_stated(send, script):
    assert send(script=script).status_code in (200, 302)
    assert not LesionSymptoms.objects.exists()


def test_several_photographs_of_a_lesion_record_them_once(send, lesion):
    for number in (0, 1):
        assert send(number, bleeding="yes").status_code == 200
    assert LesionSymptoms.objects.count() == 1


def test_what_is_left_out_keeps_what_is_recorded(send, lesion, visit, staff):
    record_symptoms(visit=visit, lesion=lesion, by=staff, pain="yes", since="a year")
    send(bleeding="yes")
    assert stated(lesion) == ("", "yes", "yes", "", "a year")


@pytest.mark.parametrize("script", [True, False])
def test_a_contradiction_is_said_and_takes_no_reported_symptom_away(send, lesion, visit, staff, script):
    record_symptoms(visit=visit, lesion=lesion, by=staff, bleeding="yes")
    response = send(script=script, bleeding="no", itch="yes")
    assert stated(lesion) == ("yes", "", "yes", "", "")
    if script:
        assert "It bleeds" in json.loads(response.content)["note"]
    else:
        assert "It bleeds" in str(next(iter(response.wsgi_request._messages)))
    assert Image.objects.count() == 1


@pytest.mark.parametrize("values", [{"itch": "perhaps"}, {"since": "x" * 101}, {"bleeding": "\0"}])
def test_what_is_no_answer_is_refused_and_nothing_stored(send, values):
    for script in (True, False):
        assert send(script=script, **values).status_code == 400
    assert not LesionSymptoms.objects.exists()
    assert not Image.objects.exists()


def test_a_signed_visit_takes_none(send, visit):
    visit.status = VisitStatus.SIGNED
    visit.save(update_fields=["status"])
    assert send(bleeding="yes").status_code == 409
    assert not LesionSymptoms.objects.exists()


def test_another_clinic_states_none(visit, lesion, stranger, sign_in):
    data = {"lesion": str(lesion.pk), "files": upload_of(sample(0)), "symptom-bleeding": "yes"}
    assert sign_in(stranger).post(reverse("upload", args=[visit.pk]), data).status_code == 404
    assert not LesionSymptoms.objects.exists()


def test_the_page_shows_what_is_recorded_and_offers_the_first_lesion(client, visit, lesion, staff):
    record_symptoms(visit=visit, lesion=lesion, by=staff, pain="yes", itch="no")
    page = client.get(reverse("upload", args=[visit.pk]))
    assert json.loads(page.context["recorded_symptoms"]) == {str(lesion.pk): "hurts; denied: itches"}
    other = factories.VisitFactory(patient=factories.PatientFactory(clinic=staff.clinic))
    bare = client.get(reverse("upload", args=[other.pk])).content.decode()
    assert 'id="upload-form"' in bare
    assert "data-no-lesion" in bare
    assert client.post(reverse("upload", args=[other.pk]), {"files": upload_of(sample(0))}).status_code == 400
