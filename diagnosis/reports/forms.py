"""What a dermatologist says when signing, and afterwards."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dermascan.core.sentences import is_a_sentence
from diagnosis.reports.models import WithholdingReason
from patients.edit_forms import EditForm
from patients.edits import edit_token
from patients.models import Visit

# As long as the visit's own form allows.
LONGEST_PLAN = 10_000
LONGEST_REASON = 300


class SignForm(EditForm, forms.Form):
    """The plan as it is signed; the visit's own form edits it too, so a stale one is refused here as well."""

    edits_a_record = True

    plan = forms.CharField(
        label=_("Plan"),
        required=False,
        max_length=LONGEST_PLAN,
        widget=forms.Textarea({"rows": 4}),
        help_text=_("What happens next, in words the patient understands. It stands first in the report."),
    )
    no_plan_reason = forms.CharField(
        label=_("Why there is no plan"),
        required=False,
        max_length=LONGEST_REASON,
        help_text=_("Only if the plan stays empty. A sentence, kept in the clinic’s record for good."),
    )
    release = forms.BooleanField(
        label=_("Release it to the patient at once"),
        required=False,
        help_text=_("Leave it unticked to release it later, from the visit’s page."),
    )
    # What the page showed; signing stops if the visit has changed since.
    seen = forms.CharField(required=False, max_length=128, widget=forms.HiddenInput)

    def __init__(self, *args: Any, visit: Visit, **kwargs: Any) -> None:
        self.visit = visit
        super().__init__(*args, **kwargs)

    def stored_values(self) -> dict[str, Any]:
        return {"plan": self.visit.plan}

    def clean_no_plan_reason(self) -> str:
        reason: str = self.cleaned_data["no_plan_reason"]
        if reason and not is_a_sentence(reason):
            raise forms.ValidationError(_("Say in a sentence why there is no plan, or write the plan."))
        return reason

    @property
    def made_from(self) -> str:
        """The token; where none was sent, ``seen`` alone says what the page was made from, the plan included."""
        return super().made_from or edit_token(self.stored)

    def edited_record(self) -> Visit:
        return self.visit


class AddendumForm(forms.Form):
    words = forms.CharField(
        label=_("What is to be added"),
        max_length=LONGEST_PLAN,
        widget=forms.Textarea({"rows": 8}),
        error_messages={"required": _("Write what is to be added; an empty addendum tells nobody anything.")},
        help_text=_("What has changed, why, and what happens next, in words the patient understands."),
    )
    # Asked only where the plan may no longer hold: see ``plan_to_ask_about``.
    replaces_plan = forms.TypedChoiceField(
        label=_("Does the plan still hold?"),
        choices=[
            ("yes", _("No: what I write here replaces it")),
            ("no", _("Yes: what I write here adds to it")),
        ],
        coerce=lambda answer: answer == "yes",
        empty_value=None,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say whether what you write replaces the plan, or adds to it.")},
        help_text=_("If it no longer holds, it is marked so: write below what happens next with every lesion in it."),
    )
    # What the page showed; signing stops if labels have changed since, or somebody else has added something.
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
        help_text=_("A sentence for the clinic; the patient does not see it."),
    )
