"""Forms for a lesion's next step, on its own page and on the signing page, and for cancelling a plan."""

import datetime
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dermascan.core.form_fields import PlainDateField
from diagnosis.followup.at_signing import DONE, KEEP, NONE, Chosen, is_fulfilled_by, lesions_at
from diagnosis.followup.due_dates import DueIn, due_date
from diagnosis.followup.models import STAFF_STEPS, LesionPlan, NextStep
from diagnosis.followup.step_words import plan_in_words
from patients.edit_forms import clean_data
from patients.models import Lesion, Member, Visit

ON_A_DAY = "date"
LATEST = datetime.timedelta(days=10 * 366)
LONGEST_NOTE = 300


class NextStepForm(forms.Form):
    """One lesion's next step and by when."""

    step = forms.ChoiceField(
        label=gettext_lazy("Next step"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the next step.")},
    )
    due_in = forms.ChoiceField(
        label=gettext_lazy("When"),
        required=False,
        choices=[*DueIn.choices, (ON_A_DAY, gettext_lazy("By a date"))],
        widget=forms.RadioSelect,
    )
    due_on = PlainDateField(label=gettext_lazy("Date"), required=False)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=LONGEST_NOTE,
        help_text=gettext_lazy("For the clinic; the patient does not read it."),
    )
    # The standing plan that the page shows; a stale page is refused.
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, by: Member, standing: LesionPlan | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.standing = standing
        if self.is_bound:
            self.data = clean_data(self.data)
        steps = NextStep if by.is_dermatologist else STAFF_STEPS
        choices = [*self.other_choices(), *((step.value, step.label) for step in steps)]
        self._choice_field("step").choices = choices
        if len(choices) == 1:
            self.initial.setdefault("step", STAFF_STEPS[0])
        self.initial.setdefault("seen", _key_of(standing))
        self.fields["due_on"].widget.attrs["min"] = timezone.localdate().isoformat()

    def other_choices(self) -> list[tuple[str, str]]:
        """What may be chosen besides a new step."""
        return []

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("step") in NextStep.values:
            data["due_on"] = self._due_on(data)
        return data

    def _due_on(self, data: dict[str, Any]) -> datetime.date | None:
        today, due_in, due_on = timezone.localdate(), data.get("due_in"), data.get("due_on")
        if data["step"] == NextStep.DISCHARGE:
            return None
        if due_in and due_in != ON_A_DAY:
            chosen = due_date(due_in, start=today)
            if due_on and due_on != chosen:
                # Neither is dropped in silence: the lesion might be seen later than was meant.
                self.add_error(
                    "due_on",
                    _("This is another day than “%(when)s”. Choose “By a date”, or clear the date.")
                    % {"when": DueIn(due_in).label},
                )
            return chosen
        if "due_on" in self.errors:
            return None
        if due_on is None:
            self.add_error(
                "due_on" if due_in else "due_in",
                forms.ValidationError(_("Choose a time, or enter a date."), code="time_or_date"),
            )
        elif not today <= due_on <= today + LATEST:
            words = _("Enter a date from today on, within ten years.")
            self.add_error("due_on", forms.ValidationError(words, code="not_within_ten_years"))
        return due_on

    def _choice_field(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field


class SigningStepForm(NextStepForm):
    """The next step of one lesion of a visit that is being signed. Its lesion may keep the plan that it has."""

    def __init__(self, *args: Any, lesion: Lesion, visit: Visit, is_needed: bool, **kwargs: Any) -> None:
        self.lesion, self.visit, self.is_needed = lesion, visit, is_needed
        super().__init__(*args, prefix=f"lesion-{lesion.number}", **kwargs)
        self.fields["step"].required = False
        self.fields["step"].label = _("Next step of %(lesion)s") % {"lesion": lesion.title}
        if self.standing is None:
            self.initial.setdefault("step", "" if is_needed else NONE)
        elif self._is_fulfilled:
            self.initial.setdefault("step", "" if is_needed else DONE)
        elif not self._is_old_discharge:
            self.initial.setdefault("step", KEEP)

    @property
    def _is_fulfilled(self) -> bool:
        return self.standing is not None and is_fulfilled_by(self.standing, self.visit)

    @property
    def _is_old_discharge(self) -> bool:
        discharged = self.standing is not None and self.standing.step == NextStep.DISCHARGE
        return self.is_needed and discharged and self.standing.visit_id != self.visit.pk  # type: ignore[union-attr]

    def other_choices(self) -> list[tuple[str, str]]:
        if self.standing is None:
            return [] if self.is_needed else [(NONE, _("No next step"))]
        choices = []
        if not self._is_old_discharge:
            choices.append((KEEP, _("Keep the plan: %(plan)s") % {"plan": plan_in_words(self.standing)}))
        is_biopsy = self.standing.step == NextStep.BIOPSY
        # What needs a next step is not left without one; a biopsy that was done leaves a result to await.
        if is_biopsy or (not self.is_needed and self.standing.step != NextStep.DISCHARGE):
            done = _("Done, result awaited: %(plan)s") if is_biopsy else _("Done: %(plan)s")
            choices.append((DONE, done % {"plan": plan_in_words(self.standing)}))
        return choices

    @property
    def chosen(self) -> Chosen:
        data = self.cleaned_data
        due_on = data.get("due_on") if data["step"] in NextStep.values else None
        return Chosen(data["step"], due_on=due_on, note=data["note"], seen=data["seen"])


class SigningSteps:
    """The next steps of all lesions of a visit, as one part of the signing form."""

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        visit: Visit,
        by: Member,
        needed: Collection[UUID],
        drops_stale: bool = False,
    ) -> None:
        """``drops_stale`` shows a lesion again without the choice that was made if its plan has changed since."""
        lesions = lesions_at(visit)
        plans = LesionPlan.objects.standing().filter(lesion__in=lesions).select_related("stated_by__user")
        standing = {plan.lesion_id: plan for plan in plans}
        self.forms = []
        for lesion in lesions:
            plan = standing.get(lesion.pk)
            sent = data
            if data is not None and drops_stale and data.get(f"lesion-{lesion.number}-seen") != _key_of(plan):
                sent = None
            self.forms.append(
                SigningStepForm(sent, by=by, standing=plan, lesion=lesion, visit=visit, is_needed=lesion.pk in needed)
            )

    def is_valid(self) -> bool:
        return all(form.is_valid() for form in self.forms)

    @property
    def errors(self) -> list[str]:
        """What is wrong, each with its lesion's title."""
        return [
            f"{form.lesion.title}: {error}"
            for form in self.forms
            for errors in form.errors.values()
            for error in errors
        ]

    @property
    def chosen(self) -> dict[UUID, Chosen]:
        """The choices by lesion. A needed step that was left open is passed on as such, for the service to refuse."""
        return {form.lesion.pk: form.chosen for form in self.forms if form.is_needed or form.cleaned_data["step"]}


class CancelPlanForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why the plan is cancelled"),
        max_length=LONGEST_NOTE,
        help_text=gettext_lazy("A sentence; it is stored permanently in the clinic’s record."),
        error_messages={"required": gettext_lazy("Explain in a sentence why the plan is cancelled.")},
    )


def _key_of(plan: LesionPlan | None) -> str:
    return str(plan.pk) if plan else ""
