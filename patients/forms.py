"""Forms of the clinic's pages. Error messages say what to enter, following the GOV.UK Design System."""

import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dermascan.core.form_fields import PlainDateField, RoughDateField, text_field
from dermascan.core.rough_dates import RoughDate
from patients.edit_forms import EditForm
from patients.models import (
    BODY_REGIONS,
    Consent,
    ConsentMethod,
    Decision,
    Lesion,
    Member,
    Patient,
    Visit,
)
from patients.models.patient import EARLIEST_BIRTH, LONGEST_SEARCH
from patients.models.visit import SYMPTOMS
from patients.names import clean_number
from patients.services import (
    BirthDateContradicted,
    ensure_nothing_is_earlier,
    patient_with_number,
    suggest_record_number,
)

EARLIEST_VISIT = datetime.date(1990, 1, 1)


class SearchForm(forms.Form):
    q = forms.CharField(
        label=_("Name, record number or birth date"),
        required=False,
        max_length=LONGEST_SEARCH,
        widget=forms.TextInput({"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )


class PatientForm(EditForm, forms.ModelForm):
    """Registers a patient in the clinic of ``instance``, or edits a record."""

    # The patient who may be the same person or has the record number; the page links to their record.
    existing: Patient | None = None

    given_name = forms.CharField(
        label=_("Given name"),
        max_length=80,
        required=False,
        help_text=_("Leave empty if the patient goes by one name."),
    )
    record_number = forms.CharField(label=_("Record number"), max_length=40, required=False)
    birth_date = PlainDateField(label=_("Birth date"), error_messages={"required": _("Enter the birth date.")})
    # Shown only if the clinic already has a patient with this name and birth date.
    is_somebody_else = forms.BooleanField(
        label=_("This is a different person with the same name and birth date"), required=False
    )
    history = text_field(
        label=_("Medical history"), help_text=_("Skin cancer in the patient or family, sunburns, medicines."), rows=4
    )

    class Meta:
        model = Patient
        fields = [
            "given_name",
            "family_name",
            "birth_date",
            "sex",
            "record_number",
            "skin_type",
            "email",
            "phone",
            "history",
        ]
        labels = {"family_name": _("Family name"), "email": _("E-mail address"), "phone": _("Telephone")}
        error_messages = {
            "family_name": {"required": _("Enter the family name.")},
            "email": {"invalid": _("Enter an e-mail address like name@example.com.")},
        }
        widgets = {
            "phone": forms.TextInput({"type": "tel", "inputmode": "tel"}),
            "email": forms.EmailInput({"inputmode": "email"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate().isoformat()
        self.fields["birth_date"].widget.attrs |= {"min": EARLIEST_BIRTH.isoformat(), "max": today}
        # The patient is not the user at the keyboard, so the browser must not offer the user's own details.
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"
        for name in ("given_name", "family_name", "record_number", "email", "phone"):
            self.fields[name].widget.attrs["spellcheck"] = "false"
        if self.instance._state.adding:
            self.initial["record_number"] = suggest_record_number(clinic=self.instance.clinic)
            self.fields["record_number"].help_text = _(
                "The next free number. Change it if your clinic uses its own numbers."
            )
        else:
            self.fields["record_number"].required = True
            self.fields["record_number"].error_messages["required"] = _("Enter the record number.")

    def ask_about_namesake(self, existing: Patient) -> None:
        """Ask the user whether this is the same patient; the page links to the existing record."""
        self.existing = existing
        message = _(
            "%(name)s is registered as %(number)s. Open that record, or tick this if they are different people."
        )
        params = {"name": existing.name, "number": existing.record_number}
        self.add_error("is_somebody_else", ValidationError(message, code="namesake", params=params))

    @property
    def asks_about_namesake(self) -> bool:
        return bool(self["is_somebody_else"].errors or self["is_somebody_else"].value())

    def clean_birth_date(self) -> datetime.date:
        birth_date: datetime.date = self.cleaned_data["birth_date"]
        if birth_date > timezone.localdate():
            raise ValidationError(_("The birth date must be in the past."), code="birth_in_future")
        if birth_date < EARLIEST_BIRTH:
            raise ValidationError(_("The birth date must be 1 January 1900 or later."), code="birth_too_early")
        if not self.instance._state.adding:
            self._check_against_record(birth_date)
        return birth_date

    def clean_record_number(self) -> str:
        record_number = clean_number(self.cleaned_data["record_number"])
        if record_number and self._is_new_number(record_number):
            other_than = None if self.instance._state.adding else self.instance
            if existing := patient_with_number(record_number, clinic=self.instance.clinic, other_than=other_than):
                self.refuse_record_number(existing)
        return record_number

    def refuse_record_number(self, existing: Patient) -> None:
        """Add an error that names the number's holder; the page links to their record."""
        self.existing = existing
        message = _("%(name)s already has this record number. Enter another one, or open their record.")
        self.add_error(
            "record_number", ValidationError(message, code="record_number_taken", params={"name": existing.name})
        )

    def _is_new_number(self, record_number: str) -> bool:
        return self.instance._state.adding or record_number != self.initial.get("record_number")

    def _check_against_record(self, birth_date: datetime.date) -> None:
        try:
            ensure_nothing_is_earlier(self.instance, birth_date)
        except BirthDateContradicted as contradicted:
            raise contradicted.as_form_error() from None


class VisitForm(EditForm, forms.ModelForm):
    """One visit of ``patient``."""

    date = PlainDateField(label=_("Date of the visit"), error_messages={"required": _("Enter the date of the visit.")})
    history = text_field(
        label=_("History"), help_text=_("History relevant to this complaint. The patient reads it in the report.")
    )
    notes = text_field(label=_("Notes"), help_text=_("For the clinic; not in the patient's report."))
    plan = text_field(label=_("Plan"), help_text=_("What happens next. The patient reads this in the report."))

    class Meta:
        model = Visit
        fields = [
            "date",
            "clinician",
            "complaint",
            "itch",
            "pain",
            "bleeding",
            "growth",
            "symptoms_since",
            "history",
            "notes",
            "plan",
        ]
        labels = {
            "complaint": _("Complaint"),
            "clinician": _("Seen by"),
            "itch": _("It itches"),
            "pain": _("It hurts"),
            "bleeding": _("It bleeds"),
            "growth": _("It has grown or changed"),
            "symptoms_since": _("How long, or since when"),
        }
        help_texts = {"symptoms_since": _("In the patient's words: “about two years”, “since last summer”.")}
        error_messages = {
            "complaint": {"required": _("Enter why the patient came.")},
            "clinician": {
                "required": _("Choose who sees the patient."),
                "invalid_choice": _("Choose who sees the patient from the list."),
            },
        }

    def __init__(self, *args: Any, patient: Patient, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.patient = patient
        self.fields["date"].widget.attrs |= {
            "min": max(patient.birth_date, EARLIEST_VISIT).isoformat(),
            "max": timezone.localdate().isoformat(),
        }
        clinician = self.fields["clinician"]
        assert isinstance(clinician, forms.ModelChoiceField)
        colleagues = Member.objects.visible_to(member).filter(user__is_active=True)
        if self.instance.clinician_id:
            # A clinician who has left since is still a valid choice for the visits they saw.
            colleagues |= Member.objects.visible_to(member).filter(pk=self.instance.clinician_id)
        clinician.queryset = colleagues.select_related("user")
        clinician.empty_label = None
        if self.instance._state.adding:
            self.initial["clinician"] = member.pk
        for name in ("complaint", "symptoms_since"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        if not self.instance.has_symptoms_of_no_lesion:
            for name in (*SYMPTOMS, "symptoms_since"):
                del self.fields[name]
            self.stored = {name: value for name, value in self.stored.items() if name in self.fields}
            self._undecided = [name for name in self._undecided if name in self.fields]

    def clean_date(self) -> datetime.date:
        date: datetime.date = self.cleaned_data["date"]
        if date > timezone.localdate():
            raise ValidationError(_("The visit cannot be in the future."), code="visit_in_future")
        if date < self.patient.birth_date:
            raise ValidationError(_("The visit cannot be before the patient was born."), code="before_birth")
        if date < EARLIEST_VISIT:
            raise ValidationError(_("The visit must be on 1 January 1990 or later."), code="visit_too_early")
        return date


class LesionForm(EditForm, forms.ModelForm):
    """A lesion of ``patient``."""

    noticed = RoughDateField(
        label=_("First noticed"),
        required=False,
        help_text=_("Approximate is fine: the year alone, or month and year. Leave all empty if it is not known."),
    )

    class Meta:
        model = Lesion
        fields = ["body_site", "side", "description"]
        labels = {
            "body_site": _("Body site"),
            "side": _("Side of the body"),
            "description": _("Description"),
        }
        error_messages = {
            "body_site": {
                "required": _("Choose where on the body it is."),
                "invalid_choice": _("Choose where on the body it is from the list."),
            },
            "side": {"required": _("Choose the side of the body.")},
        }
        widgets = {
            "side": forms.RadioSelect,
            "description": forms.TextInput({"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, instance: Any, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, instance=instance, initial={"noticed": instance.noticed}, **kwargs)
        self.patient = patient
        body_site = self.fields["body_site"]
        assert isinstance(body_site, forms.TypedChoiceField)
        regions = [(name, [(site.value, site.label) for site in sites]) for name, sites in BODY_REGIONS.items()]
        body_site.choices = [("", _("Choose a body site")), *regions]

    def clean_noticed(self) -> RoughDate | None:
        noticed: RoughDate | None = self.cleaned_data["noticed"]
        if noticed is None:
            return None
        if noticed.first > timezone.localdate():
            raise ValidationError(_("This cannot be in the future."), code="noticed_in_future")
        if noticed.last < self.patient.birth_date:
            raise ValidationError(_("This cannot be before the patient was born."), code="before_birth")
        return noticed


class ConsentForm(EditForm, forms.ModelForm):
    """A patient's decision about one use of their photographs, and how it was given."""

    is_confirmed = forms.BooleanField(
        label=_("The patient understands what this means, and this is their decision."),
        error_messages={"required": _("Confirm that the patient understands this and that it is their decision.")},
    )

    class Meta:
        model = Consent
        fields = ["decision", "method"]
        labels = {"decision": _("What did the patient decide?"), "method": _("How did they give their decision?")}
        widgets = {"decision": forms.RadioSelect, "method": forms.RadioSelect}
        error_messages = {
            "decision": {"required": _("Choose what the patient decided.")},
            "method": {"required": _("Choose how the patient gave their decision.")},
        }

    # Records are append-only, but the newest counts: one from a stale page would override a colleague's entry.
    edits_a_record = True

    def __init__(self, *args: Any, newest: Consent | None, **kwargs: Any) -> None:
        # Nothing is preselected: consent must be given, never assumed.
        self.newest = newest
        super().__init__(*args, **kwargs)
        for name, options in (("decision", Decision.choices), ("method", ConsentMethod.choices)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = options

    def stored_values(self) -> dict[str, Any]:
        return {"decision": self.newest.decision} if self.newest else {}

    def edited_record(self) -> Consent | None:
        return self.newest
