"""Every change of a record keeps what was before, with who and when."""

import ast
import datetime

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.reports.services import release_report
from patients.models import Clinic, Lesion, Member, Patient, RecordChange, Visit
from patients.services import close_patient_account, give_patient_account, update_patient
from tests import factories
from tests.diagnosis.reporting import confirm, photographed_visit, signed_report
from tests.page_forms import filled_in
from tests.places import ROOT

pytestmark = pytest.mark.django_db


def changes_of(record) -> list[dict]:
    return [row.changes for row in RecordChange.objects.of(record)]


@pytest.fixture
def edit(sign_in):
    """Send a form as its page offers it, with some fields changed."""

    def _edit(who, address, **values):
        client = sign_in(who)
        return client.post(address, filled_in(client, address, "made_from", **values))

    return _edit


def test_an_edited_patient_keeps_what_was_before(edit, staff, patient):
    assert edit(staff, reverse("patient-edit", args=[patient.pk]), family_name="Moreau").status_code == 302
    row = RecordChange.objects.get()
    assert (row.kind, row.record, row.number, row.by, row.clinic) == (
        "patient", patient.pk, 1, staff.user, staff.clinic,
    )  # fmt: skip
    assert row.changes == {"family_name": [patient.family_name, "Moreau"]}


def test_saving_without_a_change_adds_nothing(edit, staff, patient):
    assert edit(staff, reverse("patient-edit", args=[patient.pk])).status_code == 302
    assert not RecordChange.objects.exists()


def test_visits_and_lesions_keep_theirs_too(edit, staff, patient):
    visit, lesion = factories.VisitFactory(patient=patient), factories.LesionFactory(patient=patient)
    edit(staff, reverse("visit-edit", args=[visit.pk]), complaint="It bleeds", notes="Since May.")
    edit(staff, reverse("lesion-edit", args=[lesion.pk]), side="right", noticed_year="2024")
    assert changes_of(visit) == [{"complaint": ["A mole that has changed", "It bleeds"], "notes": ["", "Since May."]}]
    assert changes_of(lesion) == [{"side": ["left", "right"], "noticed": [None, "2024"]}]


def test_signing_and_releasing_are_changes_of_the_visit(patient, dermatologist):
    visit = photographed_visit(patient, "ISIC_0024320")
    confirm(visit, dermatologist, "nv")
    release_report(report=signed_report(visit, dermatologist), by=dermatologist)
    assert changes_of(visit) == [{"status": ["signed", "released"]}]


def test_an_account_that_is_given_and_closed_is_a_change_of_the_patient(patient, staff):
    user = give_patient_account(patient=patient, by=staff, email="a@clinic.example")
    close_patient_account(patient=patient, by=staff, reason="asked")
    assert changes_of(patient) == [{"user": [str(user.pk), None]}, {"user": [None, str(user.pk)]}]


def test_the_admin_keeps_the_history_of_the_clinic_and_its_members(edit, manager, staff):
    edit(manager, reverse("admin:patients_clinic_change", args=[manager.clinic_id]), phone="020 7946 0000")
    edit(manager, reverse("admin:patients_member_change", args=[staff.pk]), role="dermatologist", first_name="Ada")
    assert changes_of(manager.clinic) == [{"phone": ["", "020 7946 0000"]}]
    both = {name: values for change in changes_of(staff) for name, values in change.items()}
    assert both == {"role": ["staff", "dermatologist"], "first_name": ["Robin", "Ada"]}


def test_a_change_is_neither_rewritten_nor_empty(patient, staff):
    update_patient(patient=patient, by=staff, family_name="B", birth_date=patient.birth_date)
    with pytest.raises(IntegrityError, match="record_change_is_append_only"), transaction.atomic():
        RecordChange.objects.update(reason="Another one")
    row = RecordChange.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():  # the number is taken
        row.save(force_insert=True)
    row.number, row.changes = 2, {}
    with pytest.raises(IntegrityError, match="record_change_changes_something"), transaction.atomic():
        row.save(force_insert=True)


class TestPage:
    def test_tells_the_newest_first_in_words(self, edit, sign_in, staff, patient):
        address = reverse("patient-edit", args=[patient.pk])
        edit(staff, address, sex="female", birth_date="1966-04-15")
        edit(staff, address, sex="other")
        response = sign_in(staff).get(reverse("patient-history", args=[patient.pk]))
        first, second = response.context["entries"]
        assert [(each.name, each.before, each.after) for each in first.fields] == [("Sex", "Female", "Other")]
        assert ("Birth date", "14 Mar 1965", "15 Apr 1966") in {
            (each.name, each.before, each.after) for each in second.fields
        }
        assert first.by == staff.name
        assert response.context["created_by"] == patient.created_by

    def test_names_the_rows_that_were_referred_to(self, edit, sign_in, staff, patient):
        visit, colleague = factories.VisitFactory(patient=patient), factories.MemberFactory(clinic=staff.clinic)
        edit(staff, reverse("visit-edit", args=[visit.pk]), clinician=str(colleague.pk))
        response = sign_in(staff).get(reverse("visit-history", args=[visit.pk]))
        ((field,),) = [entry.fields for entry in response.context["entries"]]
        assert (field.name, field.before, field.after) == ("Seen by", visit.clinician.name, colleague.name)

    def test_is_a_page_of_the_clinic_and_its_managers_alone(self, sign_in, staff, manager, stranger, patient):
        pages = {"patient-history": patient.pk, "clinic-history": staff.clinic_id, "member-history": staff.pk}
        answers = {
            name: [sign_in(who).get(reverse(name, args=[key])).status_code for who in (staff, manager, stranger)]
            for name, key in pages.items()
        }
        assert answers == {
            "patient-history": [200, 200, 404],
            "clinic-history": [403, 200, 403],
            "member-history": [403, 200, 403],
        }

    def test_a_date_of_the_past_that_is_no_date_is_shown_as_it_is(self, edit, sign_in, staff, patient):
        edit(staff, reverse("patient-edit", args=[patient.pk]), phone="2024-99-99")
        response = sign_in(staff).get(reverse("patient-history", args=[patient.pk]))
        assert response.context["entries"][0].fields[0].after == "2024-99-99"


# --- Nothing bypasses it ---------------------------------------------------------------------------------------------

KEPT = {model._meta.model_name for model in (Patient, Visit, Lesion, Clinic, Member)}
SAVING = {"save", "update", "bulk_update", "update_or_create", "asave", "aupdate"}
# Functions that save one of these records without a change to keep, and why.
CHANGES_NOTHING = {
    "patients/services/patients.py:_save": "saves what its callers registered or changed through change_record",
}


def saving_functions() -> dict[str, bool]:
    """Return, by file and function, whether a function that saves such a record keeps its history too."""
    found: dict[str, bool] = {}
    for path in sorted(path for app in ("patients", "diagnosis", "dermascan") for path in (ROOT / app).rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef):
                continue
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(_saves_a_record(call) for call in calls):
                names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
                found[f"{path.relative_to(ROOT)}:{function.name}"] = bool(names & {"change_record", "keep_history"})
    return found


def _saves_a_record(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in SAVING:
        return False
    words = ast.unparse(call.func.value).lower().replace("(", ".").split(".")
    return words[0] in KEPT or words[-1] in {*KEPT, *(f"{name}s" for name in KEPT)}


def test_every_function_that_saves_a_record_keeps_its_history():
    functions = saving_functions()
    assert {name for name, keeps in functions.items() if not keeps} == set(CHANGES_NOTHING)
    assert {"patients/services/visits.py:update_visit", "patients/services/lesions.py:correct_lesion"} <= set(
        functions
    )


def test_a_birth_date_is_kept_as_a_date(patient, staff):
    update_patient(patient=patient, by=staff, family_name="B", birth_date=datetime.date(1960, 1, 2))
    assert changes_of(patient)[0]["birth_date"] == ["1965-03-14", "1960-01-02"]
