"""Where something goes, and why."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diagnosis.images.models import Image
from patients.models import Clinic, Lesion, Patient, Visit, VisitStatus
from patients.names import clean_number
from patients.services import patient_with_number, survivor_of

NEW = "new"


class TargetForm(forms.Form):
    """Names the other patient by record number; ``cleaned_data["number"]`` is the patient."""

    number = forms.CharField(
        label=gettext_lazy("Record number of the other patient"),
        max_length=40,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Enter the record number of the other patient.")},
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clinic = clinic

    def clean_number(self) -> Patient | None:
        number = clean_number(self.cleaned_data["number"])
        if not number:
            return None
        patient = patient_with_number(number, clinic=self.clinic)
        if patient is None:
            raise ValidationError(
                _("No record of the clinic has this number. Look it up in the list of patients."),
                code="no_such_patient",
            )
        return survivor_of(patient)


class PhotographForm(TargetForm):
    """Chooses the patient, the lesion and the visit that a photograph belongs to."""

    lesion = forms.ChoiceField(
        label=gettext_lazy("Which lesion does it show?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose the lesion that it shows."),
            "invalid_choice": gettext_lazy("Choose one of the lesions that are listed."),
        },
    )
    visit = forms.ChoiceField(
        label=gettext_lazy("At which visit was it taken?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose the visit."),
            "invalid_choice": gettext_lazy("Choose one of the visits that are listed."),
        },
    )

    def __init__(self, *args: Any, image: Image, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, clinic=patient.clinic, **kwargs)
        self.patient = patient
        self.fields["number"].required = False
        is_own = patient.pk == image.visit.patient_id
        visits = patient.visits.filter(status=VisitStatus.OPEN).exclude(pk=image.visit_id)
        visits = visits.order_by("-date", "-created_at")
        # Only an open visit gives away a photograph to another one of the patient.
        moves_between_visits = is_own and image.visit.is_open and visits.exists()
        lesions = patient.lesions.order_by("number")
        if not moves_between_visits:
            lesions = lesions.exclude(pk=image.lesion_id)
        place = _("A new lesion at the same place: %(place)s") % {"place": image.lesion.place}
        self._choices("lesion", [*((str(each.pk), _described(each)) for each in lesions), (NEW, place)])
        if is_own and not moves_between_visits:
            del self.fields["visit"]
            return
        if is_own:
            stays = _("The visit that holds it: %(visit)s") % {"visit": _dated(image.visit)}
            self._choices("visit", [("", stays), *((str(each.pk), _dated(each)) for each in visits)])
            self.fields["visit"].required = False
            return
        of_a_day = _("A new visit of %(date)s") % {"date": formats.date_format(image.visit.date, "j M Y")}
        self._choices("visit", [*((str(each.pk), _dated(each)) for each in visits), (NEW, of_a_day)])

    def chosen(self, name: str) -> UUID | None:
        """Return the key of the chosen row; None for a new one, or where there is nothing to choose."""
        value = self.cleaned_data.get(name)
        return UUID(value) if value and value != NEW else None

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


class ReasonForm(forms.Form):
    """Why, and what the preview said would happen."""

    reason = forms.CharField(
        label=gettext_lazy("Why? What is wrong, and how do you know?"),
        max_length=500,
        widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("Stored with your name, and shown in the records that it touches."),
        error_messages={"required": gettext_lazy("Explain in a sentence what is wrong and how you know.")},
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


def _described(lesion: Lesion) -> str:
    return f"{lesion}: {lesion.description}" if lesion.description else str(lesion)


def _dated(visit: Visit) -> str:
    return f"{formats.date_format(visit.date, 'j M Y')}: {visit.complaint}"
