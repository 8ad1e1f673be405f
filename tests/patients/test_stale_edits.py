"""Concurrent edits of one record: a stale form never overwrites what was saved since it was opened."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from patients.edits import ChangedMeanwhile, comparable, edit_token, lost_names
from patients.models import Clinic, Consent, Member, Patient, ReviewRule, Role, User, VisitStatus
from patients.services import update_patient
from tests import factories
from tests.page_forms import filled_in, form_with


@pytest.fixture
def one(sign_in, clinic):
    """A client of a manager, who may edit everything here, including in the admin."""
    member = factories.MemberFactory(clinic=clinic, role=Role.MANAGER, user__first_name="Ada", user__last_name="One")
    return sign_in(member)


@pytest.fixture
def other(sign_in, clinic):
    member = factories.MemberFactory(clinic=clinic, role=Role.MANAGER, user__first_name="Ben", user__last_name="Two")
    return sign_in(member)


@pytest.fixture
def operators(sign_in, db):
    users = [
        factories.UserFactory(is_superuser=True, is_staff=True, first_name=name, last_name="Operator")
        for name in ("Ada", "Ben")
    ]
    return [sign_in(user) for user in users]


def colleague(clinic) -> Member:
    return factories.MemberFactory(clinic=clinic, user__first_name="Cleo", user__last_name="Three")


# Each returns (address, record, field and value of the first edit, field and value of the second edit).
def patient_page(clinic):
    patient = factories.PatientFactory(clinic=clinic)
    return reverse("patient-edit", args=[patient.pk]), patient, ("history", "Allergic to latex"), ("phone", "0123")


def visit_page(clinic):
    visit = factories.VisitFactory(patient__clinic=clinic)
    return reverse("visit-edit", args=[visit.pk]), visit, ("notes", "Ask for histology"), ("plan", "See again in May")


def lesion_page(clinic):
    lesion = factories.LesionFactory(patient__clinic=clinic)
    return reverse("lesion-edit", args=[lesion.pk]), lesion, ("description", "Below the scar"), ("side", "right")


def clinic_admin(clinic):
    address = reverse("admin:patients_clinic_change", args=[clinic.pk])
    return address, clinic, ("address", "1 Harbour Street"), ("phone", "0123")


def member_admin(clinic):
    member = colleague(clinic)
    address = reverse("admin:patients_member_change", args=[member.pk])
    return address, member, ("role", Role.DERMATOLOGIST), ("last_name", "Four")


RECORDS = [patient_page, visit_page, lesion_page, clinic_admin, member_admin]


def value_of(record, name):
    record = type(record).objects.get(pk=record.pk)
    return getattr(record if hasattr(record, name) else record.user, name)


@pytest.mark.parametrize("make", RECORDS)
class TestTwoTabs:
    def test_a_stale_form_is_refused_with_both_versions_and_can_then_save_both(self, one, other, clinic, make):
        address, record, (first, first_text), (second, second_text) = make(clinic)
        ours = filled_in(one, address, first, **{second: second_text})
        assert other.post(address, filled_in(other, address, first, **{first: first_text})).status_code == 302

        refused = one.post(address, ours)

        assert refused.status_code == 409
        assert value_of(record, first) == first_text
        assert value_of(record, second) != second_text
        form = refused.context["form"] if "form" in refused.context else refused.context["adminform"].form
        (row,) = form.conflict.differences
        assert (row.field.name, row.choice) == (first, "theirs"), "an untouched field keeps the saved value"
        assert "Ben Two" in refused.text
        again = form_with(refused.text, first).data
        assert again[second] == [second_text], "what was typed is preserved"

        assert one.post(address, again).status_code == 302
        assert value_of(record, first) == first_text
        assert value_of(record, second) == second_text

    def test_if_both_changed_the_same_field_the_user_has_to_choose(self, one, other, clinic, make):
        address, record, (name, first_text), _second = make(clinic)
        mine = {"role": Role.MANAGER, "side": "left"}.get(name, "Mine")
        ours = filled_in(one, address, name, **{name: mine})
        other.post(address, filled_in(other, address, name, **{name: first_text}))

        refused = one.post(address, ours)
        again = form_with(refused.text, name).data
        assert f"keep-{name}" not in again, "nothing is preselected"
        undecided = one.post(address, again)
        assert undecided.status_code == 409
        assert value_of(record, name) == first_text

        again = form_with(undecided.text, name).data
        assert one.post(address, {**again, f"keep-{name}": "mine"}).status_code == 302
        assert value_of(record, name) == mine

    def test_a_further_edit_in_between_is_detected_too(self, one, other, clinic, make):
        address, record, (name, first_text), (second, second_text) = make(clinic)
        ours = filled_in(one, address, name, **{second: second_text})
        other.post(address, filled_in(other, address, name, **{name: first_text}))
        again = form_with(one.post(address, ours).text, name).data
        later = {"role": Role.MANAGER, "side": "midline"}.get(name, "Later still")
        other.post(address, filled_in(other, address, name, **{name: later}))

        refused = one.post(address, {**again, f"keep-{name}": "mine"})

        assert value_of(record, name) == later
        assert refused.status_code == 409

    def test_a_form_without_its_token_is_stale(self, one, clinic, make):
        address, record, (name, text), _second = make(clinic)
        before = value_of(record, name)
        ours = filled_in(one, address, name, **{name: text})
        del ours["made_from"]
        assert one.post(address, ours).status_code == 409
        assert value_of(record, name) == before

    def test_sending_a_form_twice_is_no_conflict(self, one, clinic, make):
        address, record, (name, text), _second = make(clinic)
        ours = filled_in(one, address, name, **{name: text})
        assert [one.post(address, ours).status_code for _ in range(2)] == [302, 302]
        assert value_of(record, name) == text


@pytest.mark.parametrize(
    "nonsense", ["a@b.c", "½", "9" * 30, "-1", "\x00", "6f1c43bb-8d0e-4f13-9a4e-3f3c7c4c3f6d", "[]"]
)
@pytest.mark.parametrize("make", RECORDS)
def test_a_stale_form_full_of_nonsense_is_refused_in_words(one, clinic, make, nonsense):
    address, record, (name, text), _second = make(clinic)
    ours = dict.fromkeys(filled_in(one, address, name, **{name: text}), nonsense)
    before = value_of(record, name)
    assert one.post(address, ours).status_code in (200, 400, 409)
    assert value_of(record, name) == before


def test_the_page_preserves_what_was_typed_if_the_visit_was_signed_meanwhile(one, clinic):
    visit = factories.VisitFactory(patient__clinic=clinic)
    address = reverse("visit-edit", args=[visit.pk])
    ours = filled_in(one, address, "plan", plan="A plan of many words")
    type(visit).objects.filter(pk=visit.pk).update(status=VisitStatus.SIGNED)
    response = one.post(address, ours)
    assert response.status_code == 409
    assert form_with(response.text, "plan").data["plan"] == ["A plan of many words"]
    visit.refresh_from_db()
    assert visit.plan == ""


def test_a_stale_form_does_not_revert_the_review_rule(one, other, clinic):
    address = reverse("admin:patients_clinic_change", args=[clinic.pk])
    ours = filled_in(one, address, "review_rule", phone="0123")
    change = {"review_rule": ReviewRule.TWO_BLINDED_READERS, "recalculates_labels": "on"}
    assert other.post(address, filled_in(other, address, "review_rule", **change)).status_code == 302
    assert one.post(address, ours).status_code == 409
    assert Clinic.objects.get(pk=clinic.pk).review_rule == ReviewRule.TWO_BLINDED_READERS


def test_a_stale_consent_does_not_undo_a_withdrawal(one, other, patient):
    address = reverse("patient-consent", args=[patient.pk, "training"])
    answers = {"method": "verbal", "is_confirmed": "on"}
    ours = filled_in(one, address, "decision", decision="given", **answers)
    other.post(address, filled_in(other, address, "decision", decision="withdrawn", **answers))

    refused = one.post(address, ours)

    assert refused.status_code == 409
    assert "Ben Two" in refused.text
    assert [consent.decision for consent in Consent.objects.all()] == ["withdrawn"]
    again = form_with(refused.text, "decision").data
    assert again["decision"] == ["given"]
    assert one.post(address, {**again, "keep-decision": "mine"}).status_code == 302
    assert Consent.objects.latest("number").decision == "given"


@pytest.mark.parametrize("table", ["auth_group", "patients_user"])
def test_stale_forms_of_operators_are_refused_too(operators, table):
    ada, ben = operators
    row = Group.objects.create(name="Before") if table == "auth_group" else factories.UserFactory()
    name = "name" if table == "auth_group" else "last_name"
    address = reverse(f"admin:{table}_change", args=[row.pk])
    ours = filled_in(ada, address, name, **{name: "Ours"})
    assert ben.post(address, filled_in(ben, address, name, **{name: "Theirs"})).status_code == 302
    refused = ada.post(address, ours)
    assert refused.status_code == 409
    assert "Ben Operator" in refused.text
    row.refresh_from_db()
    assert getattr(row, name) == "Theirs"
    again = form_with(refused.text, name).data
    assert ada.post(address, {**again, f"keep-{name}": "mine"}).status_code == 302
    row.refresh_from_db()
    assert getattr(row, name) == "Ours"


def test_the_service_refuses_a_stale_edit(patient, staff):
    values = {"family_name": "Ours", "birth_date": patient.birth_date}
    token = edit_token({"family_name": patient.family_name})
    Patient.objects.filter(pk=patient.pk).update(family_name="Theirs")
    with pytest.raises(ChangedMeanwhile):
        update_patient(patient=patient, by=staff, made_from=token, **values)
    assert Patient.objects.get().family_name == "Theirs"


def test_the_last_editor_is_stored(one, clinic):
    address, patient, (name, text), _second = patient_page(clinic)
    one.post(address, filled_in(one, address, name, **{name: text}))
    patient.refresh_from_db()
    assert patient.changed_by == User.objects.get(first_name="Ada")
    assert patient.changed_at is not None


def test_lost_names():
    values = {"a": "1", "b": "1", "c": "1\n2"}
    stored = {"a": "1", "b": "2", "c": "1\r\n2"}
    token = edit_token(values)
    assert lost_names(stored=stored, new={"a": "9", "b": "1", "c": "9"}, made_from=token) == {"b"}
    assert lost_names(stored=stored, new={"a": "9", "b": "2", "c": "9"}, made_from=token) == set()
    assert lost_names(stored=stored, new={"a": "9", "b": "2", "c": "9"}, made_from="nonsense") == {"a", "c"}
    assert comparable(None) == comparable("") == ""
