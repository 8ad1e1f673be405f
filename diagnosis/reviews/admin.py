"""Reviews on a photograph's admin page: the history, and a row to add another. None is changed or deleted."""

from typing import Any

from django import forms
from django.contrib import admin
from django.forms.formsets import ManagementForm
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from diagnosis.images.errors import IsExcluded
from diagnosis.reviews.answer_fields import grouped_answers
from diagnosis.reviews.answers import FREE_TEXT
from diagnosis.reviews.errors import AnsweredMeanwhile
from diagnosis.reviews.forms import ReviewForm
from diagnosis.reviews.models import Review
from diagnosis.reviews.services import ensure_nobody_answered, record_review, reviews_token
from patients.admin.scope import RoleGate, member_of
from patients.models import Member, Role


class _Management(ManagementForm):
    """Fields of the whole table: the token of the reviews that the page showed, and free text to confirm."""

    made_from = forms.CharField(required=False, widget=forms.HiddenInput)
    as_typed = forms.CharField(required=False, widget=forms.HiddenInput)


class ReviewFormSet(BaseInlineFormSet):
    """Saves new reviews through ``diagnosis.reviews.services``."""

    reviewer: Member | None
    # A colleague has answered since the page was rendered: the response is 409.
    is_stale = False

    @cached_property
    def management_form(self) -> ManagementForm:
        form: ManagementForm = super().management_form
        if self.is_bound:
            own = _Management(self.data, auto_id=self.auto_id, prefix=self.prefix)
            own.full_clean()
            return own if form.is_valid() else form
        initial = {**form.initial, "made_from": self._token()}
        return _Management(auto_id=self.auto_id, prefix=self.prefix, initial=initial)

    def _token(self) -> str:
        return reviews_token(image=self.instance, reader=self.reviewer) if self.reviewer else ""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if self.is_bound:
            form.asked_about = self.data.get(f"{self.prefix}-as_typed", "")

    def clean(self) -> None:
        super().clean()
        if any(form.has_changed() for form in self.extra_forms) and self.instance.exclusions.standing().exists():
            raise IsExcluded().as_form_error()
        added = [form for form in self.extra_forms if form.has_changed()]
        if added and self.reviewer:
            self._look_for_colleagues(self.reviewer)
        questions = [form.asks_about for form in added if isinstance(form, ReviewRowForm) and form.asks_about]
        self._carry(as_typed=questions[0] if questions else "")

    def _look_for_colleagues(self, reviewer: Member) -> None:
        made_from = self.data.get(f"{self.prefix}-made_from", "")
        try:
            ensure_nobody_answered(image=self.instance, reader=reviewer, made_from=made_from)
        except AnsweredMeanwhile as conflict:
            self.is_stale = True
            self._carry(made_from=self._token())
            raise forms.ValidationError(_("%(why)s Check it, then save again.") % {"why": conflict}) from None

    def _carry(self, **values: str) -> None:
        """Set these fields in the page that is shown again."""
        data: Any = self.data
        self.data = data.copy()
        for name, value in values.items():
            self.data[f"{self.prefix}-{name}"] = value  # type: ignore[index]
        self.__dict__.pop("management_form", None)

    def save_new(self, form: forms.ModelForm, commit: bool = True) -> Review:
        assert self.reviewer is not None, "only a dermatologist has a row to add"
        return record_review(
            image=self.instance,
            reviewer=self.reviewer,
            **{name: form.cleaned_data[name] for name in ("answer", "other_text", "certainty", "basis", "reason")},
        )


class ReviewRowForm(ReviewForm):
    """The review form as a table row, where the column header is the only visible label."""

    asks_about_danger = False
    # Free text that the previous page asked about, and that this page asks about.
    asked_about = asks_about = ""

    @property
    def words_meant(self) -> str:
        return self.asked_about

    def clean(self) -> dict[str, Any]:
        text = self.cleaned_data.get("other_text", "").strip()
        cleaned = super().clean()
        self.asks_about = text if self.suggested else ""
        return cleaned

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A row has no room for the question on malignancy, so the choices include it. Tokens are in the management
        # form.
        del self.fields["danger"], self.fields["as_typed"], self.fields["made_from"]
        answer = self.fields["answer"]
        assert isinstance(answer, forms.ChoiceField)
        answer.choices = grouped_answers(own_words=FREE_TEXT)
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", str(field.label))


class ReviewInline(RoleGate, admin.TabularInline):
    model = Review
    form = ReviewRowForm
    formset = ReviewFormSet
    fields = (
        "answer",
        "other_text",
        "certainty",
        "basis",
        "reason",
        "reader",
        "was_blinded",
        "created_at",
        "state",
    )
    readonly_fields = ("reader", "was_blinded", "created_at", "state")
    extra = 1
    can_delete = False
    verbose_name = _("review")
    verbose_name_plural = _(
        "Reviews: the label's history shows which of them decided. This page shows the network's answer, so a review "
        "added here is recorded as made after seeing it."
    )

    @admin.display(description=_("reader"))
    def reader(self, review: Review) -> str:
        return review.reader.name if review.created_at else "–"

    @admin.display(description=_("state"))
    def state(self, review: Review) -> str:
        return str(_("withdrawn") if review.is_retracted else _("valid")) if review.created_at else "–"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a dermatologist may add a review; a superuser who is not one may not."""
        member = member_of(request)
        if obj is not None and obj.exclusions.standing().exists():
            return False
        return request.user.is_active and member is not None and member.role == Role.DERMATOLOGIST

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.reviewer = member_of(request)
        return formset

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("reviewer__user", "outside_reader", "retraction")
