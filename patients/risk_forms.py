"""Forms for what is asked of a patient: the facts of their risk, and the symptoms of a lesion."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from patients.edit_forms import EditForm
from patients.models import LesionSymptoms, Patient, RiskAnswer, RiskFact, RiskKind, SkinType, SymptomAnswer, Visit
from patients.models.risk_fact import MOLE_BANDS, YES_OR_NO
from patients.models.visit import SYMPTOMS
from patients.services.risk import DETAIL, SKIN_TYPE, RiskStatement, risk_facts_of, risk_values
from patients.services.symptoms import symptom_values, symptoms_at

DETAIL_HINTS = {
    RiskKind.MELANOMA: _("Where and when"),
    RiskKind.OTHER_SKIN_CANCER: _("Which, where and when"),
    RiskKind.FAMILY_MELANOMA: _("Who"),
    RiskKind.IMMUNOSUPPRESSION: _("Why: transplant, medicine, disease"),
    RiskKind.MOLES: _("Counted where, if not everywhere"),
    RiskKind.ANTICOAGULANTS: _("Which"),
    RiskKind.ALLERGIES: _("To what: anaesthetics, plasters, antibiotics"),
}


def _answer_field(kind: RiskKind) -> forms.ChoiceField:
    yes_or_no = MOLE_BANDS if kind == RiskKind.MOLES else YES_OR_NO
    choices = [(str(answer), answer.label) for answer in (RiskAnswer.NOT_ASKED, *yes_or_no, RiskAnswer.UNKNOWN)]
    return forms.ChoiceField(
        label=kind.label,
        choices=choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an answer, or “Not asked”.")},
    )


def _detail_field(kind: RiskKind) -> forms.CharField:
    return forms.CharField(
        label=DETAIL_HINTS[kind],
        required=False,
        max_length=200,
        # Read aloud it says which question it belongs to.
        widget=forms.TextInput(
            {"autocomplete": "off", "aria-label": format_lazy("{}: {}", kind.label, DETAIL_HINTS[kind])}
        ),
    )


_FIELDS = {
    name: field
    for kind in RiskKind
    for name, field in ((kind.value, _answer_field(kind)), (f"{kind.value}{DETAIL}", _detail_field(kind)))
}
_Questions = type("_Questions", (forms.Form,), _FIELDS)


class RiskForm(EditForm, _Questions):  # type: ignore[misc, valid-type]
    """What is known of a patient's risk. “Not asked” is an answer of its own and the one to begin with."""

    # Answers are append-only, but the newest counts: one from a stale page would override a colleague's.
    edits_a_record = True

    skin_type = forms.ChoiceField(
        label=_("Skin type (Fitzpatrick)"),
        required=False,
        choices=[("", _("Not asked")), *((each.value, each.label) for each in SkinType if each.value)],
    )

    def __init__(self, *args: Any, patient: Patient, **kwargs: Any) -> None:
        self.patient = patient
        self.facts: dict[str, RiskFact] = risk_facts_of([patient.pk]).get(patient.pk, {})
        self.values = risk_values(patient, self.facts)
        super().__init__(*args, initial=self.values, **kwargs)

    def stored_values(self) -> dict[str, Any]:
        return dict(self.values)

    def edited_record(self) -> Any:
        newest = max(self.facts.values(), key=lambda fact: fact.recorded_at, default=None)
        return newest or self.patient

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for kind in RiskKind.values:
            name, answer = f"{kind}{DETAIL}", cleaned.get(kind)
            detail = cleaned.get(name, "")
            if kind == RiskKind.ALLERGIES and answer == RiskAnswer.YES and not detail and name not in self.errors:
                self.add_error(
                    name, ValidationError(_("Enter what the patient is allergic to."), code="detail_missing")
                )
            elif detail and answer in (RiskAnswer.NO, RiskAnswer.NOT_ASKED, RiskAnswer.UNKNOWN):
                self.add_error(
                    name, ValidationError(_("Answer yes to this, or clear the detail."), code="detail_without_yes")
                )
        return cleaned

    @property
    def questions(self) -> list[tuple[Any, Any]]:
        """The fields of each kind: the answer, and the detail."""
        return [(self[kind], self[f"{kind}{DETAIL}"]) for kind in RiskKind.values]

    @property
    def statements(self) -> dict[str, RiskStatement]:
        cleaned = self.cleaned_data
        return {kind: RiskStatement(cleaned[kind], cleaned[f"{kind}{DETAIL}"]) for kind in RiskKind.values}

    @property
    def skin_type_chosen(self) -> str:
        return str(self.cleaned_data[SKIN_TYPE])


class SymptomsForm(EditForm, forms.ModelForm):
    """What the patient reports of one lesion at one visit."""

    edits_a_record = True

    class Meta:
        model = LesionSymptoms
        fields = [*SYMPTOMS, "since"]
        labels = {
            "itch": _("It itches"),
            "pain": _("It hurts"),
            "bleeding": _("It bleeds"),
            "growth": _("It has grown or changed"),
            "since": _("How long, or since when"),
        }
        help_texts = {"since": _("In the patient's words: “about two years”, “since last summer”.")}
        widgets = {
            **dict.fromkeys(SYMPTOMS, forms.RadioSelect),
            "since": forms.TextInput({"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, visit: Visit, lesion: Any, **kwargs: Any) -> None:
        self.visit, self.lesion = visit, lesion
        self.row = symptoms_at([visit.pk]).get((visit.pk, lesion.pk))
        super().__init__(*args, initial=symptom_values(self.row), **kwargs)
        for name in SYMPTOMS:
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = SymptomAnswer.choices

    def stored_values(self) -> dict[str, Any]:
        return dict(symptom_values(self.row))

    def edited_record(self) -> Any:
        return self.row

    @property
    def questions(self) -> list[Any]:
        return [self[name] for name in SYMPTOMS]


class AddedSymptomsForm(forms.ModelForm):
    """Symptoms beside photographs that are uploaded: optional, and added to what is recorded at the visit."""

    class Meta(SymptomsForm.Meta):
        pass

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, prefix="symptom")
        for name in SYMPTOMS:
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = SymptomAnswer.choices
            field.error_messages["invalid_choice"] = str(_("Choose “Not asked”, “No” or “Yes”."))

    @property
    def questions(self) -> list[Any]:
        return [self[name] for name in SYMPTOMS]
