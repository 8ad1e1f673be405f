"""Privacy mode: who a patient is is not in the page at all, on any page of the clinic."""

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from patients.models import Patient
from patients.privacy import SESSION_KEY, shown_name, switched
from tests import factories
from tests.diagnosis.reporting import photographed_visit, signed_report
from tests.hooks import codes
from tests.permissions.addresses import ADDRESSES
from tests.permissions.world import World, undone

pytestmark = pytest.mark.django_db

NAMES = {"given_name": "Margarethe", "family_name": "Zwingenberger", "record_number": "MRN-774411"}
# Formats of the birth date on pages, in forms and in the admin.
BORN = ("14 Mar 1965", "14 March 1965", "1965-03-14", "March 14, 1965", "14/03/1965")


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media), undone():
        world = World()
        patient = world.objects["patient"]
        for name, value in NAMES.items():
            setattr(patient, name, value)
        patient.email = patient.user.email = "margarethe.zwingenberger@mail.example"
        patient.phone = "01632 960 777"
        patient.save()
        patient.user.username = "margarethe.zwingenberger"
        patient.user.save()
        yield world


def revealed(text: str) -> list[str]:
    told = ("Margarethe", "Zwingenberger", "MRN-774411", "960 777", *BORN)
    return [words for words in told if words.lower() in text.lower()]


def private_client(world: World, role: str) -> Client:
    client = Client()
    client.cookies["sessionid"] = world.sessions[role]
    session = client.session
    session[SESSION_KEY] = True
    session.save()
    return client


@pytest.mark.slow
@pytest.mark.parametrize("role", ["dermatologist", "manager"])
def test_no_page_of_the_clinic_says_who_a_patient_is(world, role):
    found, shown = {}, 0
    with undone():
        client = private_client(world, role)
        for address in ADDRESSES:
            for case in address.cases():
                if case.get[role] != 200 or address.name.startswith("api-"):
                    continue
                path = address.path(case, world)
                with undone():
                    response = client.get(path)
                    if response.streaming:
                        list(response)  # closes the file
                        continue
                    assert response.status_code in (200, 409), path
                    shown += response.status_code == 200
                    told = revealed(response.content.decode("utf-8", "replace"))
                if told:
                    found[path] = told
    assert found == {}
    assert shown > 30, "most pages are shown, and not refused"


def test_without_it_the_same_pages_say_who_it_is(world):
    client = Client()
    client.cookies["sessionid"] = world.sessions["dermatologist"]
    patient, visit = world.objects["patient"], world.objects["open_visit"]
    for path in (patient.get_absolute_url(), visit.get_absolute_url(), reverse("visits"), reverse("patients")):
        with undone():
            assert "Zwingenberger" in revealed(client.get(path).text), path


def test_the_switch_stays_for_the_session_and_ends_with_one_click(sign_in, staff, patient):
    client, address = sign_in(staff), patient.get_absolute_url()
    answer = client.post(reverse("privacy-mode"), {"on": "1", "next": address})
    assert answer.url == address
    for _ in range(2):
        page = client.get(address).text
        assert patient.name not in page
        assert f"{patient.given_name[0]}.{patient.family_name[0]}. {patient.pk.hex[-6:].upper()}" in page
        assert "privacy_mode" in codes(page)
    client.post(reverse("privacy-mode"), {"on": "0", "next": address})
    assert patient.name in client.get(address).text


def test_the_switch_leads_only_to_our_own_pages(sign_in, staff):
    answer = sign_in(staff).post(reverse("privacy-mode"), {"on": "1", "next": "https://elsewhere.example/"})
    assert answer.url == reverse("start")


@pytest.mark.parametrize("name", ["patient-edit", "patient-account"])
def test_a_form_that_needs_the_name_asks_to_switch_it_off(sign_in, staff, patient, name):
    client, address = sign_in(staff), reverse(name, args=[patient.pk])
    client.post(reverse("privacy-mode"), {"on": "1"})
    for response in (client.get(address), client.post(address, {"family_name": "New"})):
        assert response.status_code == 409
        assert f'name="next" value="{address}"' in response.text
    assert Patient.objects.get(pk=patient.pk).family_name == patient.family_name


def test_a_search_finds_by_name_and_shows_none(sign_in, staff, patient):
    client = sign_in(staff)
    client.post(reverse("privacy-mode"), {"on": "1"})
    response = client.get(reverse("patients"), {"q": patient.record_number})
    assert list(response.context["page"]) == [patient]
    assert patient.family_name not in response.text


def test_a_corrected_name_is_not_told_either(sign_in, dermatologist, patient):
    report = signed_report(photographed_visit(patient, plan="Come back."), dermatologist)
    Patient.objects.filter(pk=patient.pk).update(family_name="Zwingenberger", birth_date="1966-03-14")
    client = sign_in(dermatologist)
    assert "Zwingenberger" in client.get(report.visit.get_absolute_url()).text
    client.post(reverse("privacy-mode"), {"on": "1"})
    page = client.get(report.visit.get_absolute_url()).text
    assert "hidden_in_privacy_mode" in codes(page)
    assert revealed(page) == []
    assert patient.family_name not in page


def test_what_is_stored_is_never_hidden(patient):
    with switched(True):
        assert shown_name(patient) != patient.name
        report = signed_report(photographed_visit(patient, plan="Come back."), patient.created_by)
    assert patient.name in report.content
    assert shown_name(patient) == patient.name


def test_it_is_for_members_alone(sign_in, patient_user, patient, dermatologist):
    signed_report(photographed_visit(patient, plan="Come back."), dermatologist, released=True)
    client = sign_in(patient_user)
    session = client.session
    session[SESSION_KEY] = True
    session.save()
    visit = patient.visits.get()
    page = client.get(reverse("my-visit", args=[visit.pk])).text
    assert "Privacy mode" not in page
    assert client.post(reverse("privacy-mode"), {"on": "1"}).status_code == 403


def test_two_patients_with_the_same_initials_are_told_apart(clinic):
    first, second = (factories.PatientFactory(clinic=clinic) for _ in range(2))
    with switched(True):
        assert shown_name(first) != shown_name(second)
