"""Reviews on a photograph's page: history to read, and one more to add. Nothing is changed, nothing is deleted."""

from typing import Any

from django import forms
from django.contrib import admin
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from diagnosis.answer_fields import grouped_answers
from diagnosis.answers import FREE_TEXT
from diagnosis.forms import ReviewForm
from diagnosis.models import Review
from diagnosis.services.errors import IsSetAside
from diagnosis.services.reviews import record_review
from patients.admin.scope import RoleGate, member_of
from patients.models import Member, Role


class ReviewFormSet(BaseInlineFormSet):
    """Saves what was added through the same service as everybody else."""

    reviewer: Member

    def clean(self) -> None:
        super().clean()
        if any(form.has_changed() for form in self.extra_forms) and self.instance.set_asides.standing().exists():
            raise forms.ValidationError(str(IsSetAside()))

    def save_new(self, form: forms.ModelForm, commit: bool = True) -> Review:
        return record_review(
            image=self.instance,
            reviewer=self.reviewer,
            **{name: form.cleaned_data[name] for name in ("answer", "other_text", "certainty", "basis", "reason")},
        )


class ReviewRowForm(ReviewForm):
    """The same questions in a row of a table, where the head of the column is the only label to be seen."""

    asks_about_spelling = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # There is no room for a question of its own: how dangerous own words are is part of the answer.
        del self.fields["danger"], self.fields["as_typed"]
        answer = self.fields["answer"]
        assert isinstance(answer, forms.ChoiceField)
        answer.choices = grouped_answers(own_words=FREE_TEXT)
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", str(field.label))


class ReviewInline(RoleGate, admin.TabularInline):
    model = Review
    form = ReviewRowForm
    formset = ReviewFormSet
    fields = ("answer", "other_text", "certainty", "basis", "reason", "reviewer", "was_blinded", "created_at", "state")
    readonly_fields = ("reviewer", "was_blinded", "created_at", "state")
    extra = 1
    can_delete = False
    verbose_name = _("review")
    verbose_name_plural = _("Reviews: the label's own history says which of them decided")

    @admin.display(description=_("state"))
    def state(self, review: Review) -> str:
        return str(_("taken back") if review.is_retracted else _("stands")) if review.reviewer_id else "–"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A review is signed by a dermatologist: a superuser who is none has nothing to sign with."""
        member = member_of(request)
        if obj is not None and obj.set_asides.standing().exists():
            return False
        return request.user.is_active and member is not None and member.role == Role.DERMATOLOGIST

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.reviewer = member_of(request)
        return formset

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("reviewer__user", "retraction")
