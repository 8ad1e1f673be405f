from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from patients.admin.scope import OPERATORS, ClinicScopedAdmin, history_link
from patients.models import Clinic, Role, User
from patients.services import update_clinic


class ClinicForm(forms.ModelForm):
    """A clinic. Changing the review rule recalculates all of its labels, so it has to be confirmed."""

    recalculates_labels = forms.BooleanField(
        label=_("Recalculate all of the clinic's labels"),
        required=False,
        help_text=_(
            "Required when you change the rule. With two readers, a label that a single reader settled no longer "
            "counts until a second one has read the photograph: such photographs, melanomas among them, return to "
            "the queue, and signed reports that name such a label are marked. If you restore the former rule, the "
            "labels come back."
        ),
    )

    class Meta:
        model = Clinic
        fields = ("name", "address", "phone", "review_rule", "reading", "prints_risk")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        is_new = self.instance._state.adding
        if not is_new and "review_rule" in self.changed_data and not cleaned.get("recalculates_labels"):
            self.add_error(
                "recalculates_labels",
                ValidationError(
                    _("Tick this to change the rule, or choose the former one."), code="recalculation_unconfirmed"
                ),
            )
        return cleaned


@admin.register(Clinic)
class ClinicAdmin(ClinicScopedAdmin):
    form = ClinicForm
    view_roles = (Role.MANAGER,)
    change_roles = (Role.MANAGER,)
    add_roles = OPERATORS
    list_display = ("name", "phone", "created_at")
    search_fields = ("name",)
    readonly_fields = ("created_at", "history")

    @admin.display(description=_("history"))
    def history(self, clinic: Clinic) -> str:
        return history_link("clinic-history", clinic)

    def save_model(self, request: HttpRequest, obj: Clinic, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        assert isinstance(request.user, User)
        values = {name: form.cleaned_data[name] for name in ClinicForm.Meta.fields}
        update_clinic(clinic=obj, by=request.user, values=values, made_from=form.made_from)
