from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from patients.admin.scope import OPERATORS, RoleGate
from patients.message_words import state_in_words
from patients.models import OutgoingMessage
from patients.outbox import send_again


@admin.register(OutgoingMessage)
class OutgoingMessageAdmin(RoleGate, admin.ModelAdmin):
    """Outgoing messages and their delivery status, for operators. The text of messages is not shown."""

    view_roles = OPERATORS
    change_roles = None
    list_display = ("created_at", "kind", "user", "state", "attempts", "next_attempt_at", "finished_at", "last_error")
    list_filter = ("state", "kind", "created_at")
    list_select_related = ("user",)
    search_fields = ("address", "user__username")
    actions = ("again",)
    fields = (
        "kind",
        "user",
        "words",
        "state",
        "attempts",
        "next_attempt_at",
        "give_up_at",
        "last_error",
        "created_at",
        "finished_at",
    )
    readonly_fields = fields

    @admin.display(description=_("delivery"))
    def words(self, message: OutgoingMessage) -> str:
        return state_in_words(message)

    @admin.action(description=_("Send undelivered messages again"), permissions=["view"])
    def again(self, request: HttpRequest, rows: QuerySet[OutgoingMessage]) -> None:
        sent = sum(send_again(row) for row in rows)
        self.message_user(
            request,
            ngettext("%(count)d message is waiting to be sent.", "%(count)d messages are waiting to be sent.", sent)
            % {"count": sent},
        )
