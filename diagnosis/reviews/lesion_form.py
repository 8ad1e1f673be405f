"""The form of a review of a lesion: the review's fields, the photographs, and the management decision."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from diagnosis.images.models import Image
from diagnosis.reviews.answers import is_malignant_answer, leaves_danger_open
from diagnosis.reviews.forms import ReviewForm
from diagnosis.reviews.models import Management
from diagnosis.reviews.models.lesion_review import LATEST_MONTHS, SOONEST_MONTHS

# Chosen where the decision is made elsewhere; nothing is recorded then.
NOT_HERE = "not_here"
DECISIONS = [*Management.choices, (NOT_HERE, _("Not decided here"))]


class LesionReviewForm(ReviewForm):
    photographs = forms.MultipleChoiceField(
        label=_("Photographs that the answer is about"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Tick the photographs that your answer is about."),
            "invalid_choice": _("The photographs have changed since the page was opened. Look at them again."),
        },
    )
    decision = forms.ChoiceField(
        label=_("What is to be done?"),
        choices=DECISIONS,
        required=False,
        widget=forms.RadioSelect,
    )
    months = forms.IntegerField(
        label=_("Follow up in how many months?"),
        required=False,
        min_value=SOONEST_MONTHS,
        max_value=LATEST_MONTHS,
        error_messages={"invalid": _("Enter whole months, for example 6.")},
    )

    def __init__(self, *args: Any, images: Sequence[Image], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        photographs = self.fields["photographs"]
        assert isinstance(photographs, forms.MultipleChoiceField)
        photographs.choices = [(str(image.pk), str(image.pk)) for image in images]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        decision, answer = cleaned.get("decision", ""), cleaned.get("answer", "")
        if not decision and answer and (is_malignant_answer(answer) or leaves_danger_open(answer)):
            words = _("Say what is to be done: the lesion is, or may be, malignant by your own answer.")
            self.add_error("decision", forms.ValidationError(words, code="decision_missing"))
        if decision == Management.FOLLOW:
            if cleaned.get("months") is None and "months" not in self.errors:
                self.add_error("months", forms.ValidationError(_("Say in how many months."), code="months_missing"))
        else:
            cleaned["months"] = None
            self.errors.pop("months", None)
        cleaned["decision"] = "" if decision == NOT_HERE else decision
        cleaned["photographs"] = [UUID(key) for key in cleaned.get("photographs", ())]
        return cleaned
