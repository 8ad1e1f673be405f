"""The admin: what each role can see and change, and that clinics are isolated."""

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from dermascan.core.site import site_link
from patients.models import Clinic, Lesion, Member, Patient, Role, User, Visit
from patients.outbox import deliver_due
from tests import factories
from tests.hooks import codes
from tests.page_forms import token_of

RECORDS = ["patient", "visit", "lesion"]
EVERYTHING = [*RECORDS, "member", "clinic", "user"]


def at(page: str, model: str, *args) -> str:
    return reverse(f"admin:patients_{model}_{page}", args=args)


@pytest.fixture
def operator(db) -> User:
    return factories.UserFactory(username="operator", is_staff=True, is_superuser=True)


@pytest.fixture
def rows(clinic, patient) -> dict:
    """One row of each kind in the clinic."""
    member = patient.created_by
    return {
        "patient": patient,
        "visit": factories.VisitFactory(patient=patient, complaint="Ours"),
        "lesion": factories.LesionFactory(patient=patient, number=1),
        "member": member,
        "clinic": clinic,
        "user": member.user,
    }


@pytest.fixture
def their_rows(other_clinic) -> dict:
    """The same in another clinic, with recognisable names."""
    member = factories.MemberFactory(clinic=other_clinic, user__username="theirs", user__last_name="Elsewhere")
    patient = factories.PatientFactory(clinic=other_clinic, family_name="Elsewhere", created_by=member)
    return {
        "patient": patient,
        "visit": factories.VisitFactory(patient=patient, complaint="Elsewhere"),
        "lesion": factories.LesionFactory(patient=patient, number=1, description="Elsewhere"),
        "member": member,
        "clinic": other_clinic,
        "user": member.user,
    }


class TestAccess:
    @pytest.mark.parametrize("role", ["staff", "patient_user"])
    def test_other_roles_are_refused(self, sign_in, request, role):
        response = sign_in(request.getfixturevalue(role)).get(reverse("admin:index"))
        assert response.status_code in (302, 403)

    @pytest.mark.parametrize(
        ("role", "sees"),
        [("dermatologist", set(RECORDS)), ("manager", {*RECORDS, "member", "clinic"}), ("operator", set(EVERYTHING))],
    )
    def test_each_role_sees_its_tables(self, sign_in, request, role, sees, rows):
        client = sign_in(request.getfixturevalue(role))
        index = client.get(reverse("admin:index")).text
        for model in EVERYTHING:
            assert (at("changelist", model) in index) == (model in sees), model
            assert client.get(at("changelist", model)).status_code == (200 if model in sees else 403), model
            page = client.get(at("change", model, rows[model].pk))
            assert page.status_code == (200 if model in sees else 403), model

    def test_is_staff_without_a_role_grants_nothing(self, sign_in, rows, clinic):
        user = factories.UserFactory(is_staff=True)
        staff = factories.MemberFactory(clinic=clinic, role=Role.STAFF, user=factories.UserFactory(is_staff=True))
        for who in (user, staff):
            for model in EVERYTHING:
                assert sign_in(who).get(at("changelist", model)).status_code == 403

    def test_a_deactivated_manager_is_out_at_once(self, sign_in, manager):
        client = sign_in(manager)
        User.objects.filter(pk=manager.user_id).update(is_active=False)
        assert client.get(at("changelist", "member")).status_code == 302


@pytest.mark.parametrize("role", ["dermatologist", "manager"])
class TestRecordsAreForReading:
    @pytest.mark.parametrize("model", RECORDS)
    def test_nothing_is_added_changed_or_deleted(self, sign_in, request, role, model, rows):
        client = sign_in(request.getfixturevalue(role))
        row = rows[model]
        assert client.get(at("add", model)).status_code == 403
        assert client.get(at("delete", model, row.pk)).status_code == 403
        assert client.post(at("delete", model, row.pk), {"post": "yes"}).status_code == 403
        assert client.post(at("change", model, row.pk), {"complaint": "x"}).status_code == 403
        client.post(at("changelist", model), {"action": "delete_selected", "_selected_action": [row.pk]})
        assert type(row).objects.filter(pk=row.pk).exists()
        assert "delete_selected" not in client.get(at("changelist", model)).text

    def test_the_patient_shows_lesions_and_visits(self, sign_in, request, role, rows):
        text = sign_in(request.getfixturevalue(role)).get(at("change", "patient", rows["patient"].pk)).text
        assert "Ours" in text
        assert "Shoulder" in text
        assert 'name="_save"' not in text


def test_not_even_an_operator_deletes_or_rewrites_records(sign_in, operator, rows):
    client = sign_in(operator)
    for model in EVERYTHING:
        assert client.post(at("delete", model, rows[model].pk), {"post": "yes"}).status_code == 403
    for model in RECORDS:
        assert client.post(at("change", model, rows[model].pk), {}).status_code == 403
    assert (Patient.objects.count(), Visit.objects.count(), Lesion.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("role", ["dermatologist", "manager"])
class TestClinicsAreApart:
    @pytest.fixture
    def client(self, sign_in, request, role, rows, their_rows):
        return sign_in(request.getfixturevalue(role))

    @pytest.fixture
    def models(self, role):
        return [*RECORDS, "member", "clinic"] if role == "manager" else RECORDS

    @pytest.mark.parametrize("query", [{}, {"q": "Elsewhere"}, {"q": "theirs"}, {"q": "a\0b"}, {"p": "99"}])
    def test_lists_searches_and_filters_show_the_own_clinic_alone(self, client, models, their_rows, query):
        for model in models:
            response = client.get(at("changelist", model), query, follow=True)
            assert their_rows[model] not in response.context["cl"].result_list, model
            # The page repeats the search term, so then only the clinic's name can be checked.
            for theirs in ("Harbour",) if "q" in query else ("Elsewhere", "theirs", "Harbour"):
                assert theirs not in response.text, model

    def test_rows_of_another_clinic_do_not_exist(self, client, models, their_rows):
        for model in models:
            for page in ("change", "history"):
                response = client.get(at(page, model, their_rows[model].pk))
                assert response.status_code == 302, (model, page)
                assert response.url == reverse("admin:index")

    def test_a_malformed_key_is_no_error(self, client, models):
        for model in models:
            assert client.get(f"{at('changelist', model)}none%00such/change/").status_code in (302, 404)


class TestMembers:
    @pytest.fixture
    def client(self, sign_in, manager) -> Client:
        return sign_in(manager)

    @staticmethod
    def details(**changes) -> dict[str, str]:
        values = {
            "username": "newcomer",
            "first_name": "New",
            "last_name": "Comer",
            "email": "new@clinic.example",
            "role": "staff",
        }
        return values | changes

    @pytest.mark.parametrize(("role", "enters"), [("staff", False), ("dermatologist", True), ("manager", True)])
    def test_a_manager_adds_a_colleague(
        self, client, manager, other_clinic, role, enters, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            response = client.post(
                at("add", "member"),
                # Fields that a manager may not set are sent too and must be ignored.
                self.details(role=role, clinic=str(other_clinic.pk), is_superuser="on", is_staff="on"),
            )
        assert response.status_code == 302, response.context["errors"]
        member = Member.objects.get(user__username="newcomer")
        assert (member.clinic, member.role) == (manager.clinic, role)
        assert member.user.is_staff is enters
        assert not member.user.is_superuser
        assert not member.user.has_usable_password()
        deliver_due()
        assert mail.outbox[-1].to == ["new@clinic.example"]
        assert site_link("/accounts/") in mail.outbox[-1].body

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"username": ""}, "username"),
            ({"username": "a b"}, "username"),
            ({"username": "a\0b"}, "username"),
            ({"username": "x" * 151}, "username"),
            ({"username": "THEIRS"}, "username"),
            ({"email": "nobody"}, "email"),
            ({"role": "operator"}, "role"),
            ({"last_name": "x" * 151}, "last_name"),
        ],
    )
    def test_says_what_to_change(self, client, their_rows, changes, field):
        before = Member.objects.count()
        response = client.post(at("add", "member"), self.details(**changes))
        assert list(response.context["adminform"].form.errors) == [field]
        assert Member.objects.count() == before
        assert mail.outbox == []

    def test_an_address_is_used_once_in_the_clinic(self, client, manager, stranger):
        response = client.post(at("add", "member"), self.details(email=manager.user.email))
        assert list(response.context["adminform"].form.errors) == ["email"]
        assert client.post(at("add", "member"), self.details(email=stranger.user.email)).status_code == 302

    def changed(self, member, **changes) -> dict[str, str]:
        user = member.user
        values = {
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": user.email,
            "role": member.role,
            "is_active": "on",
        }
        return values | changes

    def test_access_to_the_admin_follows_from_the_role(self, client, staff):
        for role, enters in (("dermatologist", True), ("staff", False)):
            address = at("change", "member", staff.pk)
            client.post(address, self.changed(staff, role=role) | token_of(client, address))
            staff.refresh_from_db()
            staff.user.refresh_from_db()
            assert (staff.role, staff.user.is_staff) == (role, enters)

    def test_a_deactivated_member_loses_access(self, client, sign_in, staff):
        theirs = sign_in(staff)
        values = self.changed(staff) | token_of(client, at("change", "member", staff.pk))
        del values["is_active"]
        assert client.post(at("change", "member", staff.pk), values).status_code == 302
        assert theirs.get(reverse("patients")).url.startswith(reverse("account_login"))

    def test_changes_nothing_that_is_not_on_the_page(self, client, staff, other_clinic):
        client.post(
            at("change", "member", staff.pk),
            self.changed(
                staff, username="other", clinic=str(other_clinic.pk), is_superuser="on", user=str(staff.user_id)
            ),
        )
        before = (staff.clinic, staff.user.username)
        staff = Member.objects.get(pk=staff.pk)
        assert (staff.clinic, staff.user.username) == before
        assert not staff.user.is_superuser

    @pytest.mark.parametrize("changes", [{"role": "staff"}, {"is_active": ""}])
    def test_cannot_lock_oneself_out(self, client, manager, changes):
        response = client.post(at("change", "member", manager.pk), self.changed(manager, **changes))
        assert response.context["adminform"].form.has_error("role", "own_access")
        manager.refresh_from_db()
        assert (manager.role, manager.user.is_active) == (Role.MANAGER, True)

    def test_cannot_take_over_the_account_of_a_colleague(self, client, dermatologist):
        address = at("change", "member", dermatologist.pk)
        response = client.post(address, self.changed(dermatologist, email="mine@example.com"))
        assert response.context["adminform"].form.has_error("email", "address_of_a_used_account")
        dermatologist.user.refresh_from_db()
        assert dermatologist.user.email != "mine@example.com"

    def test_can_correct_the_address_of_a_member_without_a_password(self, client, staff):
        staff.user.set_unusable_password()
        staff.user.save()
        address = at("change", "member", staff.pk)
        client.post(address, self.changed(staff, email="right@example.com") | token_of(client, address))
        staff.user.refresh_from_db()
        assert staff.user.email == "right@example.com"

    def test_cannot_touch_an_operator_who_is_also_a_member(self, client, clinic, operator):
        member = factories.MemberFactory(clinic=clinic, user=operator)
        address = at("change", "member", member.pk)
        assert 'name="_save"' not in client.get(address).text
        assert client.post(address, self.changed(member, email="mine@example.com")).status_code == 403
        client.post(at("changelist", "member"), {"action": "mail_link", "_selected_action": [member.pk]})
        assert mail.outbox == []

    def test_cannot_touch_the_members_of_another_clinic(self, client, stranger):
        client.post(at("change", "member", stranger.pk), self.changed(stranger, role="staff"))
        client.post(at("changelist", "member"), {"action": "mail_link", "_selected_action": [stranger.pk]})
        stranger.refresh_from_db()
        assert stranger.role == Role.DERMATOLOGIST
        assert mail.outbox == []

    def test_mails_a_new_link(self, client, staff):
        client.post(at("changelist", "member"), {"action": "mail_link", "_selected_action": [staff.pk]})
        deliver_due()
        assert mail.outbox[-1].to == [staff.user.email]

    def test_an_unsent_message_is_reported(self, client, staff, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        page = {"action": "mail_link", "_selected_action": [staff.pk]}
        assert client.post(at("changelist", "member"), page).status_code == 302
        deliver_due()
        assert "could not be reached" in client.get(at("change", "member", staff.pk)).text

    def test_is_for_managers(self, sign_in, dermatologist, staff):
        for who in (dermatologist, staff):
            client = sign_in(who)
            assert client.post(at("add", "member"), self.details()).status_code in (302, 403)
        assert not User.objects.filter(username="newcomer").exists()

    def test_an_operator_adds_members_to_any_clinic(self, sign_in, operator, other_clinic):
        response = sign_in(operator).post(
            at("add", "member"), self.details(role="manager", clinic=str(other_clinic.pk))
        )
        assert response.status_code == 302
        assert Member.objects.get(user__username="newcomer").clinic == other_clinic


class TestClinic:
    def test_a_manager_keeps_the_own_clinics_details(self, sign_in, manager, other_clinic):
        client = sign_in(manager)
        values = {"name": "Northside Skin Clinic", "address": "1 Road", "phone": "1", "review_rule": "one_reader"}
        values["reading"] = "network_shown"
        own = at("change", "clinic", manager.clinic_id)
        assert client.post(own, values | token_of(client, own)).status_code == 302
        assert client.post(at("change", "clinic", other_clinic.pk), values | {"name": "Mine"}).status_code == 302
        assert client.get(at("add", "clinic")).status_code == 403
        assert set(Clinic.objects.values_list("name", flat=True)) == {"Northside Skin Clinic", "Harbour Clinic"}


def test_patients_are_filtered_by_account(sign_in, manager, patient, patient_user):
    without = factories.PatientFactory(clinic=manager.clinic)
    client = sign_in(manager)
    for value, expected in (("yes", [patient]), ("no", [without])):
        assert list(client.get(at("changelist", "patient"), {"account": value}).context["cl"].result_list) == expected


@pytest.mark.parametrize("model", EVERYTHING)
def test_each_cell_of_a_list_names_its_column(sign_in, operator, rows, model):
    """On a narrow screen a row is a card that shows the column name next to the value."""
    page = sign_in(operator).get(at("changelist", model))

    listed = page.content.decode().partition('id="result_list"')[2].partition("</table>")[0]
    heads = re.findall(r'<div class="text">(.*?)</div>', listed, re.DOTALL)
    columns = [strip_tags(head).strip() for head in heads]
    first_row = listed.partition("<tbody>")[2].partition("</tr>")[0]
    assert re.findall(r'data-label="(.*?)"', first_row) == [column for column in columns if column]
    assert len(columns) >= 3


def test_an_empty_list_says_why(sign_in, manager, patient):
    client = sign_in(manager)

    searched = client.get(at("changelist", "patient"), {"q": "Nobody of this name"}).content.decode()
    assert "no_matches" in codes(searched)
    assert '<a href="?">' in searched
    assert "no_entries" in codes(client.get(at("changelist", "visit")).content.decode())


def test_lists_need_few_queries(sign_in, manager, django_assert_max_num_queries):
    client = sign_in(manager)
    for number in range(20):
        patient = factories.PatientFactory(clinic=manager.clinic)
        factories.VisitFactory(patient=patient)
        factories.LesionFactory(patient=patient, number=number + 1)
    for model in (*RECORDS, "member"):
        with django_assert_max_num_queries(19):
            client.get(at("changelist", model))


@pytest.mark.parametrize("typed", ["O\u2019Brien", "o'brien", "OBRIEN", "O\u200bBrien"])
def test_lists_find_a_name_in_every_spelling(sign_in, manager, typed):
    member = factories.MemberFactory(clinic=manager.clinic, user__last_name="O\u02bcBrien")
    patient = factories.PatientFactory(clinic=manager.clinic, family_name="O`Brien", created_by=member)
    factories.PatientFactory(clinic=manager.clinic, created_by=member)
    rows = {
        "patient": patient,
        "visit": factories.VisitFactory(patient=patient),
        "lesion": factories.LesionFactory(patient=patient),
        "consent": factories.ConsentFactory(patient=patient),
        "member": member,
    }
    client = sign_in(manager)
    for table, row in rows.items():
        assert list(client.get(at("changelist", table), {"q": typed}).context["cl"].result_list) == [row]


@pytest.mark.parametrize("typed", ["王明", "明王", "王 明"])
def test_lists_find_a_name_that_is_typed_without_a_space(sign_in, manager, typed):
    member = factories.MemberFactory(clinic=manager.clinic, user__first_name="明", user__last_name="王")
    patient = factories.PatientFactory(clinic=manager.clinic, given_name="明", family_name="王")
    factories.PatientFactory(clinic=manager.clinic, given_name="明", family_name="李")
    client = sign_in(manager)
    for table, row in {"patient": patient, "member": member}.items():
        assert list(client.get(at("changelist", table), {"q": typed}).context["cl"].result_list) == [row]
