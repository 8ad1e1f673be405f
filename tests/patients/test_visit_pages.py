"""The clinic's pages about visits and lesions."""

import datetime
import uuid

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnosis.record.search.summaries import calculate_everything_stale
from patients.models import BodySite, Lesion, Visit, VisitStatus
from patients.services import AnotherClinic, correct_lesion
from tests import factories
from tests.forms import key_in
from tests.hooks import codes, error_codes
from tests.page_forms import token_of

TODAY = datetime.date.today()


@pytest.fixture
def client(sign_in, staff):
    return sign_in(staff)


class TestVisitList:
    def test_an_empty_list_says_what_to_do(self, client):
        assert "no_visits" in codes(client.get(reverse("visits")).text)

    def test_shows_the_newest_first_and_only_the_own_clinic(self, client, patient, other_clinic):
        old = factories.VisitFactory(patient=patient, date=datetime.date(2024, 1, 1), complaint="Old sore")
        new = factories.VisitFactory(patient=patient, date=datetime.date(2025, 1, 1), complaint="New mole")
        factories.VisitFactory(patient__clinic=other_clinic, complaint="Elsewhere")
        response = client.get(reverse("visits"))
        assert list(response.context["page"]) == [new, old]
        assert "Elsewhere" not in response.text
        for text in (patient.name, "1 Jan 2025", "New mole", new.clinician.name, reverse("visit", args=[new.pk])):
            assert text in response.text

    @pytest.mark.parametrize("status", VisitStatus.values)
    def test_filters_by_status(self, client, patient, status):
        visits = {value: factories.VisitFactory(patient=patient, status=value) for value in VisitStatus.values}
        response = client.get(reverse("visits"), {"status": status})
        assert list(response.context["page"]) == [visits[status]]

    def test_says_so_when_no_visit_has_the_status(self, client, patient):
        factories.VisitFactory(patient=patient)
        assert "no_visits_found" in codes(client.get(reverse("visits"), {"status": "signed"}).text)

    @pytest.mark.parametrize("query", [{"page": "abc"}, {"page": "999999"}, {"page": "0"}, {"unknown": "\0"}])
    def test_any_address_leads_somewhere(self, client, patient, query):
        visit = factories.VisitFactory(patient=patient)
        assert list(client.get(reverse("visits"), query).context["page"]) == [visit]

    def test_the_number_of_queries_is_constant(self, client, clinic, django_assert_num_queries):
        for _ in range(30):
            patient = factories.PatientFactory(clinic=clinic)
            factories.VisitFactory(patient=patient, clinician=factories.MemberFactory(clinic=clinic))
        # Session, user, member, keys, the page, its visits' photographs in use and those excluded; the readers and
        # saved filters of the form; two for the header's count, one for summaries that are out of date, five for the
        # audit trail.
        calculate_everything_stale()
        with django_assert_num_queries(17):
            assert len(client.get(reverse("visits")).context["page"]) == 25


def visit_details(member, **changes) -> dict[str, str]:
    return {"date": TODAY.isoformat(), "clinician": str(member.pk), "complaint": "A mole that grows"} | changes


class TestLogVisit:
    @pytest.fixture
    def address(self, patient):
        return reverse("visit-new", args=[patient.pk])

    def test_offers_today_and_oneself(self, client, staff, address):
        form = client.get(address).context["form"]
        assert form["date"].value() == TODAY
        assert form["clinician"].value() == staff.pk

    def test_saves_and_leads_to_the_visit(self, client, staff, dermatologist, patient, address):
        response = client.post(
            address,
            visit_details(
                dermatologist,
                date="2025-02-03",
                history="None.",
                notes="Anxious.",
                plan="Photograph again in three months.",
            ),
        )
        visit = Visit.objects.get()
        assert response.url == reverse("visit", args=[visit.pk])
        assert (visit.patient, visit.clinician, visit.date) == (patient, dermatologist, datetime.date(2025, 2, 3))
        assert not visit.has_symptoms_of_no_lesion, "symptoms are recorded for a lesion"
        assert visit.notes == "Anxious."
        assert visit.plan == "Photograph again in three months."

    def test_two_clicks_make_one_visit(self, client, staff, address):
        key = key_in(client.get(address))
        for _ in range(2):
            client.post(address, visit_details(staff, idempotency_key=key))
        assert Visit.objects.count() == 1

    @pytest.mark.parametrize(
        ("changes", "field", "message"),
        [
            ({"complaint": ""}, "complaint", "Enter why the patient came."),
            ({"complaint": "x" * 301}, "complaint", "at most 300 characters"),
            ({"complaint": "a\0"}, "complaint", "Null characters are not allowed."),
            ({"date": ""}, "date", "Enter the date of the visit."),
            ({"date": (TODAY + datetime.timedelta(2)).isoformat()}, "date", "in the future"),
            ({"date": "1965-03-13"}, "date", "before the patient was born"),
            ({"date": "1989-12-31"}, "date", "1990 or later"),
            ({"clinician": ""}, "clinician", "Choose who sees the patient."),
            ({"clinician": "x"}, "clinician", "not a valid UUID"),
            ({"clinician": str(uuid.uuid4())}, "clinician", "from the list"),
            ({"clinician": "\0"}, "clinician", "Null characters are not allowed."),
            ({"history": "x" * 10_001}, "history", "at most 10000 characters"),
            ({"notes": "x" * 10_001}, "notes", "at most 10000 characters"),
            ({"plan": "a\0"}, "plan", "Null characters are not allowed."),
        ],
    )
    def test_says_what_to_change(self, client, staff, address, changes, field, message):
        response = client.post(address, visit_details(staff, **changes))
        assert response.status_code == 200
        assert list(response.context["form"].errors) == [field]
        assert message in response.context["form"].errors[field][0]
        assert f'href="#id_{field}"' in response.text
        assert not Visit.objects.exists()

    def test_offers_only_active_colleagues(self, client, staff, stranger, address, clinic):
        gone = factories.MemberFactory(clinic=clinic, user__is_active=False)
        offered = client.get(address).context["form"].fields["clinician"].queryset
        assert staff in offered
        for member in (stranger, gone):
            response = client.post(address, visit_details(member))
            assert response.context["form"].has_error("clinician", "invalid_choice")

    def test_a_patient_of_another_clinic_does_not_exist(self, sign_in, stranger, address):
        client = sign_in(stranger)
        assert client.get(address).status_code == 404
        assert client.post(address, visit_details(stranger)).status_code == 404
        assert not Visit.objects.exists()

    @pytest.mark.slow
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.dictionaries(
            st.sampled_from(["date", "clinician", "complaint", "itch", "symptoms_since", "notes", "idempotency_key"]),
            st.text(max_size=400),
        )
    )
    def test_survives_whatever_is_typed(self, client, staff, address, changes):
        typed = {name: text.encode("utf-8", "replace").decode() for name, text in changes.items()}
        assert client.post(address, visit_details(staff, **typed)).status_code in (200, 302)


class TestEditVisit:
    @pytest.fixture
    def visit(self, patient, staff):
        return factories.VisitFactory(patient=patient, clinician=staff, complaint="A mole")

    @pytest.fixture
    def address(self, visit):
        return reverse("visit-edit", args=[visit.pk])

    def test_shows_and_saves(self, client, staff, visit, address):
        assert 'value="A mole"' in client.get(address).text
        typed = visit_details(staff, complaint="A sore", plan="Come back.", pain="on")
        response = client.post(address, typed | token_of(client, address))
        assert response.url == reverse("visit", args=[visit.pk])
        visit.refresh_from_db()
        assert (visit.complaint, visit.plan) == ("A sore", "Come back.")
        assert not visit.pain, "symptoms are recorded for a lesion"

    def test_symptoms_that_name_no_lesion_can_be_cleared(self, client, staff, visit, address):
        assert "pain" not in client.get(address).context["form"].fields
        type(visit).objects.filter(pk=visit.pk).update(pain=True, symptoms_since="Long ago")
        assert client.get(address).context["form"]["pain"].value() is True
        client.post(address, visit_details(staff) | token_of(client, address))
        visit.refresh_from_db()
        assert not visit.has_symptoms_of_no_lesion

    def test_a_clinician_who_has_left_stays_selected(self, client, staff, visit, address):
        gone = factories.MemberFactory(clinic=staff.clinic, user__is_active=False)
        Visit.objects.filter(pk=visit.pk).update(clinician=gone)
        assert client.post(address, visit_details(gone) | token_of(client, address)).status_code == 302

    @pytest.mark.parametrize("status", [VisitStatus.SIGNED, VisitStatus.RELEASED])
    def test_a_closed_visit_stays_as_it_is(self, client, staff, visit, address, status):
        Visit.objects.filter(pk=visit.pk).update(status=status)
        assert client.post(address, visit_details(staff, complaint="A sore")).status_code == 409
        response = client.get(address)
        assert response.url == reverse("visit", args=[visit.pk])
        visit.refresh_from_db()
        assert visit.complaint == "A mole"
        assert "visit_is_closed" in codes(client.get(reverse("patients")).text)

    def test_a_visit_of_another_clinic_does_not_exist(self, sign_in, stranger, address, visit):
        client = sign_in(stranger)
        assert client.get(address).status_code == 404
        assert client.post(address, visit_details(stranger)).status_code == 404


class TestAddLesion:
    @pytest.fixture
    def address(self, patient):
        return reverse("lesion-new", args=[patient.pk])

    def test_saves_and_leads_to_the_lesion(self, client, staff, patient, address):
        response = client.post(
            address,
            {"body_site": "shoulder", "side": "left", "description": "Below the scar", "noticed_year": "2025"},
        )
        lesion = Lesion.objects.get()
        assert response.url == reverse("lesion", args=[lesion.pk])
        assert (lesion.patient, lesion.number, lesion.place) == (patient, 1, "left shoulder")
        assert (lesion.created_by, str(lesion.noticed)) == (staff, "2025")

    def test_every_body_site_is_offered_once_under_its_region(self, client, address):
        page = client.get(address)
        _placeholder, *regions = page.context["form"].fields["body_site"].choices
        offered = [site for _region, sites in regions for site, _name in sites]
        assert sorted(offered) == sorted(BodySite.values)
        assert '<optgroup label="Leg and foot">' in page.content.decode()

    def test_returns_to_the_upload_page(self, client, patient, address):
        visit = factories.VisitFactory(patient=patient)
        response = client.post(f"{address}?visit={visit.pk}", {"body_site": "face", "side": "unknown"})
        assert response.url == f"{reverse('upload', args=[visit.pk])}?lesion={Lesion.objects.get().pk}"

    @pytest.mark.parametrize("kind", ["nonsense", "unknown", "another patient's", "another clinic's", "signed"])
    def test_never_returns_to_an_unsuitable_visit(self, client, clinic, patient, other_clinic, address, kind):
        visits = {
            "nonsense": "\0<script>",
            "unknown": uuid.uuid4(),
            "another patient's": factories.VisitFactory(patient=factories.PatientFactory(clinic=clinic)).pk,
            "another clinic's": factories.VisitFactory(patient__clinic=other_clinic).pk,
            "signed": factories.VisitFactory(patient=patient, status=VisitStatus.SIGNED).pk,
        }
        assert client.get(address, {"visit": visits[kind]}).status_code == 200
        response = client.post(f"{address}?visit={visits[kind]}", {"body_site": "face", "side": "left"})
        assert response.url == reverse("lesion", args=[Lesion.objects.get().pk])

    def test_two_clicks_make_one_lesion(self, client, address):
        key = key_in(client.get(address))
        for _ in range(2):
            client.post(address, {"body_site": "face", "side": "left", "idempotency_key": key})
        assert Lesion.objects.count() == 1

    @pytest.mark.parametrize(
        ("changes", "field", "message"),
        [
            ({"body_site": ""}, "body_site", "Choose where on the body it is."),
            ({"body_site": "tail"}, "body_site", "from the list"),
            ({"side": ""}, "side", "Choose the side of the body."),
            ({"side": "up"}, "side", "not one of the available choices"),
            ({"description": "x" * 201}, "description", "at most 200 characters"),
            ({"description": "a\0"}, "description", "Null characters are not allowed."),
        ],
    )
    def test_says_what_to_change(self, client, address, changes, field, message):
        response = client.post(address, {"body_site": "face", "side": "left"} | changes)
        assert list(response.context["form"].errors) == [field]
        assert message in response.context["form"].errors[field][0]
        assert not Lesion.objects.exists()

    def test_a_patient_of_another_clinic_does_not_exist(self, sign_in, stranger, address):
        client = sign_in(stranger)
        assert client.get(address).status_code == 404
        assert client.post(address, {"body_site": "face", "side": "left"}).status_code == 404
        assert not Lesion.objects.exists()


class TestCorrectLesion:
    def test_saves_and_leads_back(self, sign_in, staff, patient):
        lesion = factories.LesionFactory(patient=patient, body_site="back", side="left", description="Old")
        client, url = sign_in(staff), reverse("lesion-edit", args=[lesion.pk])
        assert f'href="{url}"' in client.get(lesion.get_absolute_url()).text
        assert 'value="Old"' in client.get(url).text
        typed = {"body_site": "shoulder", "side": "right", "description": "", "noticed_year": ""}
        response = client.post(url, typed | token_of(client, url))
        assert response.url == lesion.get_absolute_url()
        before = lesion.number
        lesion.refresh_from_db()
        assert (lesion.number, lesion.place, lesion.description) == (before, "right shoulder", "")

    def test_shows_errors_and_changes_nothing(self, sign_in, staff, patient):
        lesion = factories.LesionFactory(patient=patient, body_site="back", side="left")
        url = reverse("lesion-edit", args=[lesion.pk])
        response = sign_in(staff).post(url, {"body_site": "moon", "side": "right", "noticed_year": "25"})
        assert error_codes(response)["body_site"] == ["invalid_choice"]
        lesion.refresh_from_db()
        assert lesion.place == "left back"

    def test_a_lesion_of_another_clinic_does_not_exist(self, sign_in, stranger, patient):
        lesion = factories.LesionFactory(patient=patient)
        with pytest.raises(AnotherClinic):
            correct_lesion(lesion=lesion, by=stranger, body_site="back")
        assert sign_in(stranger).get(reverse("lesion-edit", args=[lesion.pk])).status_code == 404


class TestLesionPage:
    def test_photographs_of_today_do_not_go_to_an_old_visit_unseen(self, sign_in, staff, patient):
        lesion = factories.LesionFactory(patient=patient)
        old = factories.VisitFactory(patient=patient, date=TODAY - datetime.timedelta(days=90))
        client, page = sign_in(staff), lesion.get_absolute_url()
        text = client.get(page).text
        assert f"{reverse('upload', args=[old.pk])}?lesion={lesion.pk}" in text
        assert reverse("visit-new", args=[patient.pk]) in text
        new = factories.VisitFactory(patient=patient, date=TODAY)
        text = client.get(page).text
        assert f"{reverse('upload', args=[new.pk])}?lesion={lesion.pk}" in text
        assert reverse("visit-new", args=[patient.pk]) not in text
