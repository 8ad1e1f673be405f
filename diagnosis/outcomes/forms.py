"""Forms about specimens, results and closures."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from dermascan.core.errors import Refused
from dermascan.core.form_fields import PlainDateField, text_field
from diagnosis.outcomes.errors import ChangedSince, OutcomeNeedsReason, ReceivedTooEarly
from diagnosis.outcomes.models import ClosureReason, Invasion, Margins, Specimen, SpecimenKind, Ulceration
from diagnosis.outcomes.models.pathology import MELANOMA, RESULT_ANSWERS, THICKEST_MM, THINNEST_MM
from diagnosis.outcomes.pathology import Findings
from diagnosis.outcomes.report_files import FileRefused, ReportFile, read_report_file
from diagnosis.outcomes.states import outcome_of
from diagnosis.reviews.answer_fields import NOT_KNOWN, DiagnosisInput, grouped_answers, read_answer
from diagnosis.reviews.answers import CANNOT_TELL, FREE_TEXT, OTHER
from diagnosis.reviews.review_words import answer_name
from patients.edit_forms import clean_data
from patients.models import Lesion, Member, Visit

LONGEST_REASON = 1000
NOT_STATED: tuple[str, Any] = ("", _("Not stated"))


class _CleanForm(forms.Form):
    """A form without invisible characters, that carries the token of what its page showed."""

    made_from = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    is_stale = False

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(None if data is None else clean_data(data), *args, **kwargs)

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows the form."""
        if self.is_stale:
            return int(HTTPStatus.CONFLICT)
        return int(HTTPStatus.UNPROCESSABLE_ENTITY if self.errors else HTTPStatus.OK)

    def refuse(self, error: Refused, *, lesion: Lesion, fields: Mapping[type[Refused], str] | None = None) -> None:
        """Show why the service refused, at the field that the error is about, if ``fields`` names one.

        A stale form gets the token of what the page shows now, so that it can be sent again.
        """
        self.add_error((fields or {}).get(type(error)), error.as_form_error())
        if isinstance(error, ChangedSince):
            self.is_stale = True
            self.data = MultiValueDict(self.data)
            self.data["made_from"] = outcome_of(lesion).token


class SpecimenForm(_CleanForm):
    """What was sent, when, by whom and where to."""

    kind = forms.ChoiceField(
        choices=SpecimenKind.choices,
        widget=forms.RadioSelect,
        label=_("What was taken?"),
        error_messages={
            "required": _("Choose what was taken."),
            "invalid_choice": _("Choose one of the kinds that are listed."),
        },
    )
    sent_on = PlainDateField(label=_("Sent on"), error_messages={"required": _("Enter the day on which it was sent.")})
    number = forms.CharField(
        required=False,
        max_length=40,
        label=_("Specimen number"),
        help_text=_("As on the request form. Leave it empty if the laboratory gives it later."),
    )
    laboratory = forms.CharField(required=False, max_length=120, label=_("Laboratory"))
    sent_by = forms.ModelChoiceField(
        queryset=Member.objects.none(),
        empty_label=None,
        label=_("Taken and sent by"),
        error_messages={
            "required": _("Choose who sent it."),
            "invalid_choice": _("Choose a member of this clinic."),
        },
    )
    visit = forms.ModelChoiceField(
        queryset=Visit.objects.none(),
        required=False,
        empty_label=_("No visit"),
        label=_("At the visit"),
        error_messages={"invalid_choice": _("Choose a visit of this patient.")},
    )

    def __init__(self, *args: Any, lesion: Lesion, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lesion = lesion
        members = Member.objects.filter(clinic=lesion.patient.clinic_id, user__is_active=True)
        self._choose("sent_by", members.select_related("user"))
        self._choose("visit", lesion.patient.visits.in_use())

    def _choose(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows

    def clean_sent_on(self) -> Any:
        sent_on = self.cleaned_data["sent_on"]
        if sent_on > timezone.localdate():
            raise forms.ValidationError(_("This day is in the future."))
        if sent_on < self._lesion.patient.birth_date:
            raise forms.ValidationError(_("This day is before the patient was born."))
        if sent_on.year < 1990:
            raise forms.ValidationError(_("Check the year."))
        return sent_on


class ResultForm(_CleanForm):
    """What the laboratory reported."""

    received_on = PlainDateField(
        label=_("Received on"), error_messages={"required": _("Enter the day on which the result arrived.")}
    )
    number = forms.CharField(required=False, max_length=40, label=_("Specimen number"))
    reported_by = forms.CharField(required=False, max_length=120, label=_("Reported by"))
    answer = forms.ChoiceField(
        label=_("Diagnosis"),
        error_messages={
            "required": _("Choose the diagnosis. If the report gives none, choose “No diagnosis possible”."),
            "invalid_choice": _("Choose one of the diagnoses that are listed."),
        },
    )
    other_text = forms.CharField(
        required=False,
        max_length=200,
        widget=DiagnosisInput,
        label=_("Something else: what?"),
        help_text=_("Type to find a diagnosis by any of its names, or use the pathologist's own words."),
    )
    as_typed = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)
    invasion = forms.ChoiceField(
        required=False,
        choices=[NOT_STATED, *Invasion.choices],
        widget=forms.RadioSelect,
        label=_("In situ or invasive?"),
        error_messages={"invalid_choice": _("Choose one of the answers that are listed.")},
    )
    breslow_mm = forms.DecimalField(
        required=False,
        max_digits=4,
        decimal_places=2,
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
        label=_("Breslow thickness in mm"),
        help_text=_("Invasive melanoma only."),
        error_messages={"invalid": _("Enter the thickness as a number of millimetres, such as 0.8.")},
    )
    ulceration = forms.ChoiceField(
        required=False,
        choices=[NOT_STATED, *Ulceration.choices],
        widget=forms.RadioSelect,
        label=_("Ulceration"),
        error_messages={"invalid_choice": _("Choose one of the answers that are listed.")},
    )
    margins = forms.ChoiceField(
        choices=Margins.choices,
        initial=Margins.NOT_STATED,
        widget=forms.RadioSelect,
        label=_("Margins"),
        error_messages={
            "required": _("Say whether the margins are clear. Choose “Not stated” if the report does not say it."),
            "invalid_choice": _("Choose one of the answers that are listed."),
        },
    )
    report_text = text_field(rows=5, label=_("The pathologist's text"))
    file = forms.FileField(
        required=False,
        allow_empty_file=True,  # answered by the same rule as other unreadable files
        label=_("The report as a file"),
        help_text=_("A PDF or a photograph of the paper. Only members of the clinic can open it."),
    )
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea({"rows": 2}),
        label=_("Why is the result amended?"),
        help_text=_("The earlier result stays on record. A dermatologist confirms the new one before it counts."),
        error_messages={"required": _("Give the reason: for example, that the laboratory sent an amended report.")},
    )
    # Codes and names of diagnoses that the words may mean.
    suggested: Sequence[tuple[str, str]] = ()
    MELANOMA_FIELDS = ("invasion", "breslow_mm", "ulceration")

    def __init__(self, *args: Any, specimen: Specimen, is_amended: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._specimen = specimen
        self.report_file: ReportFile | None = None
        answer = self.fields["answer"]
        assert isinstance(answer, forms.ChoiceField)
        answer.choices = _answer_choices()
        if not is_amended:
            del self.fields["reason"]
        if specimen.number:
            del self.fields["number"]

    def clean_received_on(self) -> Any:
        received_on = self.cleaned_data["received_on"]
        if received_on > timezone.localdate():
            raise forms.ValidationError(_("This day is in the future."))
        if received_on < self._specimen.sent_on:
            raise forms.ValidationError(str(ReceivedTooEarly(self._specimen)), code=ReceivedTooEarly.code)
        return received_on

    def clean_breslow_mm(self) -> Decimal | None:
        thickness: Decimal | None = self.cleaned_data["breslow_mm"]
        if thickness is not None and not THINNEST_MM <= thickness <= THICKEST_MM:
            raise forms.ValidationError(
                _now("The thickness lies between %(least)s and %(most)s mm. Check the number and its unit.")
                % {"least": THINNEST_MM, "most": THICKEST_MM}
            )
        return thickness

    def clean_file(self) -> None:
        upload = self.cleaned_data["file"]
        if upload:
            try:
                self.report_file = read_report_file(upload)
            except FileRefused as error:
                raise forms.ValidationError(str(error), code=error.code) from error

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self._clean_answer(cleaned)
        self._clean_melanoma(cleaned)
        return cleaned

    @property
    def findings(self) -> Findings:
        """What the valid form states."""
        left_out = {"made_from", "as_typed", "file", "reason", "number"}
        return Findings(**{name: value for name, value in self.cleaned_data.items() if name not in left_out})

    def _clean_answer(self, cleaned: dict[str, Any]) -> None:
        answer, text = cleaned.get("answer", ""), cleaned.get("other_text", "").strip()
        if answer not in FREE_TEXT or "other_text" in self.errors:
            cleaned["other_text"] = ""
            return
        if not text:
            self.add_error("other_text", _("Say what else it is."))
            return
        danger = NOT_KNOWN if answer == OTHER else answer
        try:
            cleaned["answer"], cleaned["other_text"] = read_answer(
                answer, text, danger, as_typed=cleaned.get("as_typed", "")
            )
        except forms.ValidationError as error:
            self.add_error("other_text", error)
            self.suggested = [(code, answer_name(code)) for code in (error.params or {}).get("codes", ())]
            # The hidden field is rendered from the submitted data: sent again unchanged, the words are confirmed.
            self.data = MultiValueDict(self.data)
            self.data["as_typed"] = text

    def _clean_melanoma(self, cleaned: dict[str, Any]) -> None:
        """Refuse what is stated only of melanomas for another diagnosis: one of the two is wrong."""
        if "answer" in self.errors or "other_text" in self.errors:
            return
        is_melanoma = cleaned.get("answer") == MELANOMA
        if cleaned.get("invasion") and not is_melanoma:
            self.add_error("invasion", _("This is stated of melanomas only. Correct it, or the diagnosis."))
        if is_melanoma and cleaned.get("invasion") == Invasion.INVASIVE:
            return
        for name in ("breslow_mm", "ulceration"):
            if cleaned.get(name):
                words = _("This is stated of invasive melanomas only. Correct it, the diagnosis, or its invasion.")
                self.add_error(name, words)


class ReasonForm(_CleanForm):
    """The reason for a withdrawal or for reopening a lesion."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea({"rows": 3}),
        label=_("Why?"),
        help_text=_("Stored with your name. Everyone in the clinic can read it."),
        error_messages={"required": _("Give the reason in a sentence. It is stored with your name.")},
    )


class ClosureForm(_CleanForm):
    """Why a lesion is no longer followed."""

    why = forms.ChoiceField(
        choices=ClosureReason.choices,
        widget=forms.RadioSelect,
        label=_("Why is it no longer followed?"),
        error_messages={
            "required": _("Choose why it is no longer followed."),
            "invalid_choice": _("Choose one of the reasons that are listed."),
        },
    )
    note = forms.CharField(
        required=False, max_length=LONGEST_REASON, widget=forms.Textarea({"rows": 3}), label=_("Note")
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("why") == ClosureReason.OTHER and not cleaned.get("note"):
            self.add_error("note", OutcomeNeedsReason().as_form_error())
        return cleaned


def _answer_choices() -> list[tuple[str, Any]]:
    """Return the diagnoses as a review offers them, without what no laboratory reports."""
    choices = []
    for name, options in grouped_answers(FREE_TEXT):
        if isinstance(options, list):
            options = [(code, _result_name(code, words)) for code, words in options if code in RESULT_ANSWERS]
        choices.append((name, options))
    return choices


def _result_name(code: str, words: Any) -> Any:
    return _now("No diagnosis possible (the tissue does not allow one)") if code == CANNOT_TELL else words
