"""Every field of the visit form reaches the record, the page and the report. Who adds one is told what is missing."""

from typing import Any

import pytest
from django import forms
from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse

from diagnosis.reports.content import build_content, canonical_json
from diagnosis.reports.models import Report
from diagnosis.reports.record_changes import record_changes_of
from diagnosis.reports.report_view import present
from patients.forms import VisitForm
from patients.models import Visit
from tests import factories
from tests.diagnosis.reporting import photographed_visit, signed_report
from tests.page_forms import token_of

pytestmark = pytest.mark.django_db

# These have tests of their own: they are not typed, or the patient does not read them.
OF_THE_VISIT_ITSELF = {"date", "clinician"}
FOR_THE_CLINIC_ALONE = {"notes"}
FIELDS = sorted(set(VisitForm.base_fields) - OF_THE_VISIT_ITSELF)
# Of visits from before symptoms belonged to lesions; the form has them only where the visit has any.
OF_EARLIER_VISITS = {"itch", "pain", "bleeding", "growth", "symptoms_since"}


def another_value(field: forms.Field) -> Any:
    """A value that no other field has."""
    if isinstance(field, forms.BooleanField):
        return True
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        return [value for value, _label in choices if value][-1]
    return "Seen near the Zambezi"


def shown_value(visit: Visit, name: str) -> str:
    field = VisitForm.base_fields[name]
    if isinstance(field, forms.BooleanField):
        return str(visit.symptoms[0])
    return str(getattr(visit, f"get_{name}_display", lambda: getattr(visit, name))())


@pytest.fixture
def edited(sign_in, staff, patient) -> Any:
    """Return a function that sets one field in the form that a browser shows, and returns the visit."""
    client = sign_in(staff)

    def edit(name: str) -> Visit:
        since = "Long ago" if name in OF_EARLIER_VISITS else ""
        visit = factories.VisitFactory(patient=patient, complaint="A spot", plan="", history="", symptoms_since=since)
        address = reverse("visit-edit", args=[visit.pk])
        form = client.get(address).context["form"]
        sent = {key: value for key in form.fields if (value := form[key].value()) not in (None, False, "")}
        sent = {key: value.pk if isinstance(value, Model) else value for key, value in sent.items()}
        sent[name] = another_value(VisitForm.base_fields[name])
        answer = client.post(address, sent | token_of(client, address))
        assert answer.status_code == 302, getattr(answer, "context", None) and answer.context["form"].errors
        visit.refresh_from_db()
        return visit

    return edit


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_typed_is_recorded_and_shown(edited, sign_in, staff, name):
    visit = edited(name)
    assert getattr(visit, name) == another_value(VisitForm.base_fields[name])
    page = sign_in(staff).get(visit.get_absolute_url()).content.decode()
    assert shown_value(visit, name) in page


@pytest.mark.parametrize("name", sorted(set(FIELDS) - FOR_THE_CLINIC_ALONE))
def test_the_report_holds_it(edited, name):
    visit = edited(name)
    content = build_content(visit)
    assert shown_value(visit, name) in canonical_json(content)
    context = {"title": "", "content": present(content), "content_sha256": ""}
    assert shown_value(visit, name) in render_to_string("reports/report.html", context)


@pytest.mark.parametrize("name", sorted(FOR_THE_CLINIC_ALONE))
def test_the_report_does_not_hold_what_is_for_the_clinic_alone(edited, name):
    visit = edited(name)
    assert shown_value(visit, name) not in canonical_json(build_content(visit))


@pytest.mark.parametrize("name", sorted(set(FIELDS) - FOR_THE_CLINIC_ALONE - {"plan"}))
def test_a_correction_after_signing_is_noticed(patient, dermatologist, name):
    report = signed_report(photographed_visit(patient, plan="Come back."), dermatologist)
    assert record_changes_of([report])[report.pk] == []
    Visit.objects.filter(pk=report.visit_id).update(**{name: another_value(VisitForm.base_fields[name])})
    assert len(record_changes_of([Report.objects.get(pk=report.pk)])[report.pk]) == 1
