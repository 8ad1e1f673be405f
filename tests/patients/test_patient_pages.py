"""The clinic's pages about patients: the list, its search, and the forms."""

import datetime

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dermascan.core.rough_dates import RoughDate
from patients.models import Patient
from tests import factories
from tests.hooks import coded, codes, error_codes
from tests.page_forms import token_of

LIST = reverse("patients")
NEW = reverse("patient-new")
TODAY = datetime.date.today()


@pytest.fixture
def client(sign_in, staff):
    return sign_in(staff)


def names(response) -> list[str]:
    return [patient.name for patient in response.context["page"]]


def details(**changes) -> dict[str, str]:
    values = {
        "given_name": "Amara",
        "family_name": "Okafor",
        "birth_date": "1961-03-14",
        "sex": "female",
        "record_number": "MRN-1",
        "skin_type": "",
        "email": "",
        "phone": "",
        "history": "",
    }
    return values | changes


class TestList:
    def test_an_empty_list_says_what_to_do(self, client):
        response = client.get(LIST)
        assert "no_patients" in codes(response.text)
        assert f'href="{NEW}"' in response.text

    def test_shows_what_is_known_at_a_glance(self, client, clinic, staff):
        patient = factories.PatientFactory(
            clinic=clinic, given_name="Amara", family_name="Okafor", record_number="X-7"
        )
        factories.VisitFactory(patient=patient, date=datetime.date(2024, 5, 2))
        factories.VisitFactory(patient=patient, date=datetime.date(2025, 6, 3))
        factories.VisitFactory(patient=patient, date=datetime.date(2023, 7, 4))
        for number in (1, 2, 3):
            factories.LesionFactory(patient=patient, number=number)
        text = client.get(LIST).text
        assert "Amara Okafor" in text
        assert "X-7" in text
        assert "14 Mar 1965" in text
        assert f"age {patient.age}" in text
        assert "3 Jun 2025" in text
        assert "2 May 2024" not in text
        assert reverse("patient", args=[patient.pk]) in text
        assert client.get(LIST).context["page"][0].lesion_count == 3

    def test_shows_no_patients_of_another_clinic(self, client, patient, other_clinic):
        theirs = factories.PatientFactory(clinic=other_clinic, family_name="Elsewhere")
        assert names(client.get(LIST)) == [patient.name]
        for text in ("Elsewhere", theirs.record_number, "1965-03-14"):
            assert theirs not in client.get(LIST, {"q": text}).context["page"].object_list

    def test_escapes_names(self, client, clinic):
        factories.PatientFactory(clinic=clinic, family_name="<script>alert(1)</script>")
        assert "<script>alert" not in client.get(LIST).text

    def test_the_number_of_queries_is_constant(self, client, clinic, django_assert_num_queries):
        def fill(count: int) -> None:
            for _ in range(count):
                patient = factories.PatientFactory(clinic=clinic, created_by=member)
                factories.VisitFactory(patient=patient)
                factories.LesionFactory(patient=patient)

        member = factories.MemberFactory(clinic=clinic)
        fill(3)
        # Session, user, member, count, the page; two for the number beside Today, five for the audit trail.
        with django_assert_num_queries(12):
            client.get(LIST)
        fill(40)
        with django_assert_num_queries(12):
            assert len(client.get(LIST).context["page"]) == 25
        # And the records that were merged into others.
        with django_assert_num_queries(13):
            client.get(LIST, {"q": "okafor", "page": "2"})


class TestPaging:
    @pytest.fixture
    def many(self, clinic):
        member = factories.MemberFactory(clinic=clinic)
        Patient.objects.bulk_create(
            factories.PatientFactory.build(
                clinic=clinic, created_by=member, family_name=f"N{number:03}", given_name="", record_number=str(number)
            )
            for number in range(60)
        )

    @pytest.mark.parametrize(
        ("page", "first"),
        [
            ("", "N000"),
            ("1", "N000"),
            ("2", "N025"),
            ("3", "N050"),
            ("abc", "N000"),
            ("999999", "N050"),
            ("-1", "N050"),
            ("9" * 5000, "N000"),
            ("\0", "N000"),
        ],
    )
    def test_any_page_number_leads_somewhere(self, client, many, page, first):
        response = client.get(LIST, {"page": page})
        assert response.status_code == 200
        assert names(response)[0] == first

    def test_the_search_is_kept_from_page_to_page(self, client, many):
        text = client.get(LIST, {"q": "n0"}).text
        assert "?q=n0&amp;page=2" in text
        assert "60 patients found" in text


class TestSearch:
    @pytest.fixture(autouse=True)
    def people(self, clinic):
        for given_name, family_name, record_number, birth_date in (
            ("Amara", "Okafor", "MRN-001", datetime.date(1961, 3, 14)),
            ("Zoë", "Ångström", "MRN-002", datetime.date(1990, 12, 1)),
            ("Amara", "Öz", "K_100%", datetime.date(2001, 2, 3)),
        ):
            factories.PatientFactory(
                clinic=clinic,
                given_name=given_name,
                family_name=family_name,
                record_number=record_number,
                birth_date=birth_date,
            )

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("okaf", {"Amara Okafor"}),
            ("OKAFOR amara", {"Amara Okafor"}),
            ("  amara  ", {"Amara Okafor", "Amara Öz"}),
            ("ångström", {"Zoë Ångström"}),
            ("ÖZ", {"Amara Öz"}),
            ("oz", {"Amara Öz"}),
            ("zoe angstrom", {"Zoë Ångström"}),
            ("mrn-002", {"Zoë Ångström"}),
            ("_", {"Amara Öz"}),
            ("%", {"Amara Öz"}),
            ("1961-03-14", {"Amara Okafor"}),
            ("14/03/1961", {"Amara Okafor"}),
            ("14.03.1961", {"Amara Okafor"}),
            ("14 March 1961", {"Amara Okafor"}),
            ("amara 2001-02-03", {"Amara Öz"}),
            ("amara ångström", set()),
            ("31/02/1961", set()),
            ("'; DROP TABLE patients_patient; --", set()),
            ("okafor\0", set()),
        ],
    )
    def test_finds_every_word(self, client, text, expected):
        response = client.get(LIST, {"q": text})
        assert response.status_code == 200
        assert set(names(response)) == expected

    def test_says_so_when_no_patient_matches(self, client):
        response = client.get(LIST, {"q": "nobody of this name"})
        assert "no_patients_found" in codes(response.text)
        assert "no_patients" not in codes(response.text)

    def test_says_so_when_the_text_is_too_long(self, client):
        response = client.get(LIST, {"q": "x" * 101})
        assert "at most 100 characters" in response.text
        assert names(response) == []

    def test_while_typing_sends_only_the_list(self, client):
        response = client.get(LIST, {"q": "okafor"}, headers={"HX-Request": "true"})
        assert "<html" not in response.text
        assert names(response) == ["Amara Okafor"]
        assert 'id="results"' in response.text
        assert "HX-Request" in response["Vary"]

    # The database rows are the same for every example.
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.one_of(st.text(max_size=120), st.text(alphabet="a \0%_\\'\"😀é", max_size=3000)))
    def test_survives_whatever_is_typed(self, client, text):
        response = client.get(LIST, {"q": text.encode("utf-8", "replace").decode()})
        assert response.status_code == 200

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(text=st.text(max_size=60_000))
    def test_the_queryset_survives_whatever_it_is_asked(self, text):
        list(Patient.objects.matching(text.encode("utf-8", "replace").decode())[:1])


class TestRegister:
    def test_saves_and_leads_to_the_record(self, client, staff):
        response = client.post(NEW, details(history="Two sunburns.", skin_type="II"))
        patient = Patient.objects.get()
        assert response.status_code == 302
        assert response.url == reverse("patient", args=[patient.pk])
        assert (patient.clinic, patient.created_by, patient.skin_type) == (staff.clinic, staff, "II")

    def test_suggests_the_next_record_number(self, client, clinic):
        factories.PatientFactory(clinic=clinic, record_number="N-08")
        assert 'value="N-09"' in client.get(NEW).text

    def test_gives_a_record_number_when_none_is_entered(self, client, clinic):
        factories.PatientFactory(clinic=clinic, record_number="N-08")
        client.post(NEW, details(record_number=""))
        assert Patient.objects.filter(record_number="N-09").exists()

    def test_a_patient_of_the_same_name_and_birth_date_is_asked_about(self, client):
        client.post(NEW, details())
        existing = Patient.objects.get()
        twin = details(record_number="", family_name=existing.family_name.upper())
        response = client.post(NEW, twin)
        assert Patient.objects.count() == 1
        assert existing.record_number in coded(response, "namesake")
        assert f'href="{existing.get_absolute_url()}"' in response.text
        assert "is_somebody_else" not in client.get(NEW).text
        assert client.post(NEW, {**twin, "is_somebody_else": "on"}).status_code == 302
        assert Patient.objects.count() == 2

    @pytest.mark.parametrize(
        ("first", "typed"),
        [
            (("Siobhan", "O\u2019Brien"), ("Siobhan", "O'Brien")),
            (("Siobhan", "O'Brien"), ("Siobh\u00e1n", "O\u02bcBrien")),
            (("Jean-Pierre", "Roy"), ("Jean\u2010Pierre", "Roy")),
            (("Jean\u00adPierre", "Roy"), ("Jean Pierre", "Roy")),
            (("Jean-Pierre", "Roy"), ("Jeanpierre", "Roy")),
            (("Jane", "Roe"), ("Ja\u200bne", "\u2066Roe\u2069")),
            (("Jane", "Roe"), ("Ｊane", "ROE")),
            (("Jürgen", "MÜLLER"), ("Juergen", "Mueller")),
            (("Soeren", "Aagaard"), ("Søren", "Ågaard")),
            (("Işıl", "Weiß"), ("ISIL", "WEISS")),
            (("Siobhan", "O\u055aBrien"), ("O'Brien", "Siobhan")),
            (("Jörg", "Müller"), ("Jorg", "Mueller")),
            (("明", "王"), ("", "王明")),
            (("철수", "김"), ("김철수", "")),
            (("Jean-Pierre", "Le Goff"), ("LeGoff", "Jeanpierre")),
        ],
    )
    def test_another_spelling_is_found_and_asked_about(self, client, first, typed):
        client.post(NEW, details(given_name=first[0], family_name=first[1]))
        again = details(given_name=typed[0], family_name=typed[1], record_number="")
        assert client.post(NEW, again).status_code == 200
        patient = Patient.objects.get()
        for spelling in (first, typed):
            for text in (" ".join(spelling), *spelling):
                assert names(client.get(LIST, {"q": text})) == [patient.name]

    def test_a_name_of_invisible_characters_is_empty(self, client):
        response = client.post(NEW, details(given_name="\u200b", family_name="\u200d\u2066"))
        assert list(response.context["form"].errors) == ["family_name"]

    @pytest.mark.parametrize("typed", ["MRN\u20131", "mrn 1", "ＭＲＮ－１", "MRN1", "M\u200bRN-1"])
    def test_a_number_is_taken_however_it_is_written(self, client, typed):
        client.post(NEW, details())
        response = client.post(NEW, details(family_name="Else", record_number=typed))
        assert list(response.context["form"].errors) == ["record_number"]
        assert names(client.get(LIST, {"q": typed.replace(" ", "")})) == ["Amara Okafor"]

    def test_a_namesake_of_another_clinic_is_not_revealed(self, client, other_clinic):
        there = details()
        factories.PatientFactory(
            clinic=other_clinic,
            family_name=there["family_name"],
            given_name=there["given_name"],
            birth_date=there["birth_date"],
        )
        assert client.post(NEW, there).status_code == 302

    def test_one_name_is_enough(self, client):
        client.post(NEW, details(given_name=""))
        assert Patient.objects.get().name == "Okafor"

    @pytest.mark.parametrize(
        ("changes", "field", "message"),
        [
            ({"family_name": ""}, "family_name", "Enter the family name."),
            ({"family_name": "  "}, "family_name", "Enter the family name."),
            ({"family_name": "x" * 81}, "family_name", "at most 80 characters"),
            ({"family_name": "a\0b"}, "family_name", "Null characters are not allowed."),
            ({"given_name": "a\0b"}, "given_name", "Null characters are not allowed."),
            ({"given_name": "x" * 81}, "given_name", "at most 80 characters"),
            ({"birth_date": ""}, "birth_date", "Enter the birth date."),
            ({"birth_date": "yesterday"}, "birth_date", "Enter a valid date"),
            ({"birth_date": "31/02/1990"}, "birth_date", "Enter a valid date"),
            ({"birth_date": "14/03/61"}, "birth_date", "Enter a valid date"),
            ({"birth_date": "1899-12-31"}, "birth_date", "1900 or later"),
            ({"birth_date": "0001-01-01"}, "birth_date", "1900 or later"),
            ({"birth_date": (TODAY + datetime.timedelta(2)).isoformat()}, "birth_date", "in the past"),
            ({"birth_date": "9999-12-31"}, "birth_date", "in the past"),
            ({"birth_date": "1990\0"}, "birth_date", "Enter a valid date"),
            ({"sex": "robot"}, "sex", "not one of the available choices"),
            ({"skin_type": "VII"}, "skin_type", "not one of the available choices"),
            ({"email": "nobody"}, "email", "name@example.com"),
            ({"email": "x" * 250 + "@example.com"}, "email", "at most 254 characters"),
            ({"phone": "0" * 41}, "phone", "at most 40 characters"),
            ({"record_number": "x" * 41}, "record_number", "at most 40 characters"),
            ({"record_number": "a\0"}, "record_number", "Null characters are not allowed."),
            ({"history": "x" * 10_001}, "history", "at most 10000 characters"),
            ({"history": "a\0b"}, "history", "Null characters are not allowed."),
        ],
    )
    def test_says_what_to_change(self, client, changes, field, message):
        response = client.post(NEW, details(**changes))
        assert response.status_code == 200
        assert list(response.context["form"].errors) == [field]
        assert message in response.context["form"].errors[field][0]
        assert "error-summary" in response.text
        assert f'href="#id_{field}"' in response.text
        assert not Patient.objects.exists()

    @pytest.mark.parametrize("typed", ["MRN-00001", "mrn-00001"])
    def test_a_taken_record_number_leads_to_its_holder(self, client, clinic, typed):
        existing = factories.PatientFactory(clinic=clinic, family_name="Ngata", record_number="MRN-00001")
        response = client.post(NEW, details(record_number=typed))
        assert existing.name in coded(response, "record_number_taken")
        assert f'href="{reverse("patient", args=[existing.pk])}"' in response.text
        assert Patient.objects.count() == 1

    def test_a_number_of_another_clinic_is_free_and_stays_unknown(self, client, other_clinic):
        factories.PatientFactory(clinic=other_clinic, family_name="Elsewhere", record_number="MRN-1")
        response = client.post(NEW, details(record_number="MRN-1"), follow=False)
        assert response.status_code == 302

    @pytest.mark.slow
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.dictionaries(st.sampled_from(sorted(details())), st.text(max_size=200)))
    def test_survives_whatever_is_typed(self, client, changes):
        typed = {name: text.encode("utf-8", "replace").decode() for name, text in changes.items()}
        assert client.post(NEW, details(**typed)).status_code in (200, 302)

    def test_a_request_without_fields_is_answered_with_the_form(self, client):
        assert client.post(NEW, {}).status_code == 200


class TestEdit:
    @pytest.fixture
    def address(self, patient):
        return reverse("patient-edit", args=[patient.pk])

    def test_shows_and_saves(self, client, patient, address):
        assert f'value="{patient.family_name}"' in client.get(address).text
        typed = details(family_name="Married", record_number=patient.record_number)
        response = client.post(address, typed | token_of(client, address))
        assert response.url == reverse("patient", args=[patient.pk])
        patient.refresh_from_db()
        assert patient.family_name == "Married"

    def test_the_heading_keeps_the_recorded_name_while_there_are_errors(self, client, patient, address):
        response = client.post(address, details(given_name="Wrong", birth_date=""))
        assert patient.name in response.text, "the header names the stored patient"

    def test_cannot_take_the_number_of_another_patient(self, client, clinic, patient, address):
        other = factories.PatientFactory(clinic=clinic)
        response = client.post(address, details(record_number=other.record_number))
        assert error_codes(response)["record_number"] == ["record_number_taken"]

    def test_needs_a_record_number(self, client, address):
        assert error_codes(client.post(address, details(record_number="")))["record_number"] == ["required"]

    def test_cannot_be_born_after_the_first_visit(self, client, patient, address):
        factories.VisitFactory(patient=patient, date=datetime.date(2020, 1, 1))
        response = client.post(address, details(birth_date="2021-01-01"))
        assert "1 January 2020" in coded(response, "birth_date_contradicted")

    @pytest.mark.parametrize(
        ("noticed", "birth_date", "words"),
        [
            ("2019-05-03", "2019-05-04", "3 May 2019"),
            ("2019-05", "2019-06-01", "May 2019"),
            ("2019", "2020-01-01", "2019"),
            ("2019-05-03", "2019-05-03", ""),
            ("2019-05", "2019-05-31", ""),
            ("2019", "2019-12-31", ""),
        ],
    )
    def test_cannot_be_born_after_a_lesion_was_noticed(self, client, patient, address, noticed, birth_date, words):
        lesion = factories.LesionFactory(patient=patient)
        lesion.noticed = RoughDate.parse(noticed)
        lesion.save()
        response = client.post(address, details(birth_date=birth_date) | token_of(client, address))
        assert (response.status_code == 302) == (not words)
        if words:
            shown = coded(response, "birth_date_contradicted")
            assert lesion.title in shown
            assert f": {words}." in shown

    def test_an_existing_contradiction_does_not_block_other_corrections(self, client, patient, address):
        lesion = factories.LesionFactory(patient=patient)
        lesion.noticed = RoughDate.parse("1950")
        lesion.save()
        typed = details(birth_date=patient.birth_date.isoformat(), family_name="Married")
        assert client.post(address, typed | token_of(client, address)).status_code == 302

    @pytest.mark.parametrize("changed", ["name", "birth_date"])
    def test_a_patient_who_becomes_a_namesake_is_asked_about(self, client, clinic, patient, address, changed):
        born = "1961-03-14" if changed == "name" else "1961-03-15"
        existing = factories.PatientFactory(
            clinic=clinic, given_name="Ámara", family_name="OKAFOR", birth_date="1961-03-14", record_number="N-7"
        )
        client.post(address, details(family_name="Moreau", birth_date=born) | token_of(client, address))
        patient.refresh_from_db()
        assert patient.family_name == "Moreau"
        twin = details(given_name="Amara", family_name="Okafor", birth_date="1961-03-14")
        response = client.post(address, twin | token_of(client, address))
        patient.refresh_from_db()
        assert patient.family_name == "Moreau"
        assert "N-7" in coded(response, "namesake")
        assert f'href="{existing.get_absolute_url()}"' in response.text
        answer = {**twin, "is_somebody_else": "on"} | token_of(client, address)
        assert client.post(address, answer).status_code == 302
        patient.refresh_from_db()
        assert patient.family_name == "Okafor"
        again = details(given_name="Amara", family_name="Okafor", birth_date="1961-03-14", phone="0123")
        assert client.post(address, again | token_of(client, address)).status_code == 302, "it was answered before"

    def test_a_patient_of_another_clinic_does_not_exist(self, sign_in, stranger, patient, address):
        client = sign_in(stranger)
        assert client.get(address).status_code == 404
        assert client.post(address, details()).status_code == 404
        patient.refresh_from_db()
        assert patient.given_name == "Amara"
        assert patient.record_number != "MRN-1"
