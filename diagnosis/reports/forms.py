"""Forms for signing a report, adding to it and withholding it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dermascan.core.sentences import is_a_sentence
from diagnosis.reports.models import WithholdingReason
from patients.edit_forms import EditForm
from patients.edits import edit_token
from patients.models import Visit

# The same limit as in the visit's own form.
LONGEST_PLAN = 10_000
LONGEST_REASON = 300


class SignForm(EditForm, forms.Form):
    """The plan and the release. The visit's own form edits the plan too, so a stale plan is refused here as well."""

    edits_a_record = True

    plan = forms.CharField(
        label=_("Plan"),
        required=False,
        max_length=LONGEST_PLAN,
        widget=forms.Textarea({"rows": 4}),
        help_text=_("What happens next, in words the patient understands. It comes first in the report."),
    )
    no_plan_reason = forms.CharField(
        label=_("Why there is no plan"),
        required=False,
        max_length=LONGEST_REASON,
        help_text=_("Only if the plan stays empty. A sentence; it is stored permanently in the clinic’s record."),
    )
    release = forms.BooleanField(
        label=_("Release the report to the patient at once"),
        required=False,
        help_text=_("Leave this unticked to release the report later, from the visit’s page."),
    )
    # Fingerprint of the draft on the page; signing is refused if the visit has changed since.
    seen = forms.CharField(required=False, max_length=128, widget=forms.HiddenInput)

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        self.visit = visit
        super().__init__(*args, **kwargs)

    def stored_values(self) -> dict[str, Any]:
        return {"plan": self.visit.plan}

    def clean_no_plan_reason(self) -> str:
        reason: str = self.cleaned_data["no_plan_reason"]
        if reason and not is_a_sentence(reason):
            raise forms.ValidationError(
                _("Explain in a sentence why there is no plan, or write the plan."), code="no_plan_unexplained"
            )
        return reason

    @property
    def made_from(self) -> str:
        """The edit token. Without one, ``seen`` covers the plan too, so the stored values count as current."""
        return super().made_from or edit_token(self.stored)

    def edited_record(self) -> Visit:
        return self.visit


class AddendumForm(forms.Form):
    words = forms.CharField(
        label=_("Text of the addendum"),
        max_length=LONGEST_PLAN,
        widget=forms.Textarea({"rows": 8}),
        error_messages={"required": _("The addendum is empty. Write what you want to add.")},
        help_text=_("What has changed, why, and what happens next, in words the patient understands."),
    )
    # Asked only if the plan may no longer apply: see ``plan_to_ask_about``.
    replaces_plan = forms.TypedChoiceField(
        label=_("Does the plan still hold?"),
        choices=[
            ("yes", _("No: the addendum replaces it")),
            ("no", _("Yes: the addendum adds to it")),
        ],
        coerce=lambda answer: answer == "yes",
        empty_value=None,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose whether the addendum replaces the plan or adds to it.")},
        help_text=_("If not, it is marked as replaced: write below what happens next for every lesion in it."),
    )
    # Fingerprint of the draft on the page; signing is refused if labels or addenda have changed since.
    seen = forms.CharField(required=False, max_length=128, widget=forms.HiddenInput)

    def __init__(self, *args: Any, asks_about_plan: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["replaces_plan"].required = asks_about_plan


class WithholdForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("What the patient reads"), choices=[("", _("Choose")), *WithholdingReason.choices]
    )
    note = forms.CharField(
        label=_("What is wrong"),
        max_length=300,
        help_text=_("A sentence for the clinic. The patient does not see it."),
    )
