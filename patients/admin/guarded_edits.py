"""Protection of the admin's change forms against stale edits; see ``patients.edits``."""

from http import HTTPStatus
from typing import Any

from django.contrib.admin import ModelAdmin
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from patients.edit_forms import EditForm
from patients.history import keep_history
from patients.models import RecordChange
from patients.models.edited import Edited


class GuardedEdits(ModelAdmin):
    """Mixin that the site adds to every model admin: a stale change form gets 409 and shows both versions."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None or issubclass(form, EditForm):
            return form
        metaclass: Any = type(form)
        return metaclass(form.__name__, (EditForm, form), {"__module__": form.__module__})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row; on POST it is locked, since it is checked and saved in the same transaction."""
        record = super().get_object(request, object_id, from_field)
        if record is None or request.method != "POST" or not transaction.get_connection().in_atomic_block:
            return record
        self.model._base_manager.select_for_update().filter(pk=record.pk).first()
        return super().get_object(request, object_id, from_field)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not (change and isinstance(obj, Edited)):
            super().save_model(request, obj, form, change)
            return
        stored, number = type(obj)._base_manager.get(pk=obj.pk), RecordChange.objects.of(obj).count()
        names = [name for name in form.changed_data if hasattr(stored, name)]
        before, after = ({name: getattr(row, name) for name in names} for row in (stored, obj))
        obj.note_change(by=request.user)  # type: ignore[arg-type]
        super().save_model(request, obj, form, change)
        # An admin that saves through a service leaves the history to it.
        if RecordChange.objects.of(obj).count() == number:
            keep_history(obj, before, after, by=request.user)  # type: ignore[arg-type]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        if (status := getattr(context["adminform"].form, "status", HTTPStatus.OK)) != HTTPStatus.OK:
            response.status_code = status
        return response


def guard_edits(admin_class: type[ModelAdmin]) -> type[ModelAdmin]:
    if issubclass(admin_class, GuardedEdits):
        return admin_class
    return type(admin_class.__name__, (GuardedEdits, admin_class), {"__module__": admin_class.__module__})
