from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy

from dermascan.models import ContactMessage, WorkerHeartbeat
from patients.message_words import state_in_words
from patients.models import MessageKind, OutgoingMessage


@admin.register(ContactMessage)
class ContactMessageAdmin(admin.ModelAdmin):
    """Contact messages, read-only except for being marked as handled."""

    list_display = ["created_at", "name", "email", "beginning", "mail", "is_handled"]
    actions = ["mark_handled", "mark_open"]
    list_filter = ["is_handled", "created_at"]
    search_fields = ["name", "email", "message"]
    date_hierarchy = "created_at"
    fields = ["created_at", "name", "email", "message", "mail", "is_handled"]
    readonly_fields = ["created_at", "name", "email", "message", "mail"]

    @admin.display(description="message")
    def beginning(self, message: ContactMessage) -> str:
        return message.message[:80]

    @admin.display(description="e-mail to the operator")
    def mail(self, message: ContactMessage) -> str:
        row = OutgoingMessage.objects.filter(kind=MessageKind.CONTACT, about=message.pk).first()
        return state_in_words(row) if row else "–"

    @admin.action(description=gettext_lazy("Mark as handled"), permissions=["change"])
    def mark_handled(self, request: HttpRequest, messages: QuerySet[ContactMessage]) -> None:
        messages.update(is_handled=True)

    @admin.action(description=gettext_lazy("Mark as not handled"), permissions=["change"])
    def mark_open(self, request: HttpRequest, messages: QuerySet[ContactMessage]) -> None:
        messages.update(is_handled=False)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(WorkerHeartbeat)
class WorkerHeartbeatAdmin(admin.ModelAdmin):
    """The workers' heartbeats, read-only, for operators."""

    list_display = ("name", "queue", "state", "heard_at", "task", "process")
    fields = ("name", "queue", "state", "heard_at", "task", "process")
    readonly_fields = fields

    @admin.display(description=gettext_lazy("state"))
    def state(self, heartbeat: WorkerHeartbeat) -> str:
        return gettext("Lost: no heartbeat for too long") if heartbeat.is_lost else gettext("Working or idle")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, heartbeat: WorkerHeartbeat | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, heartbeat: WorkerHeartbeat | None = None) -> bool:
        return False
