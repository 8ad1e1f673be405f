"""Every change form of the admin carries what it was made from; see ``patients.edits``."""

from http import HTTPStatus
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from patients.edit_forms import EditForm
from patients.models.edited import Edited


class GuardedEdits(ModelAdmin):
    """Mixed into every model admin by the site: a stale change form is answered with 409 and both texts."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None or issubclass(form, EditForm):
            return form
        made: Any = type(form)
        return made(form.__name__, (EditForm, form), {"__module__": form.__module__})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row, locked where a form for it was sent: it is checked and saved in this transaction."""
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not transaction.get_connection().in_atomic_block:
            return found
        self.model._base_manager.select_for_update().filter(pk=found.pk).first()
        return super().get_object(request, object_id, from_field)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and isinstance(obj, Edited):
            obj.note_change(by=request.user)  # type: ignore[arg-type]
        super().save_model(request, obj, form, change)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        if (status := getattr(context["adminform"].form, "status", HTTPStatus.OK)) != HTTPStatus.OK:
            response.status_code = status
        return response


def guard_edits(admin_class: type[ModelAdmin]) -> type[ModelAdmin]:
    if issubclass(admin_class, GuardedEdits):
        return admin_class
    return type(admin_class.__name__, (GuardedEdits, admin_class), {"__module__": admin_class.__module__})
