from django.contrib import admin
from django.http import HttpRequest

from dermascan.models import ContactMessage


@admin.register(ContactMessage)
class ContactMessageAdmin(admin.ModelAdmin):
    """Read what visitors wrote and tick it off; nothing is edited."""

    list_display = ["created_at", "name", "email", "beginning", "mailed_at", "is_handled"]
    list_editable = ["is_handled"]
    list_filter = ["is_handled", "created_at"]
    search_fields = ["name", "email", "message"]
    date_hierarchy = "created_at"
    fields = ["created_at", "name", "email", "message", "mailed_at", "mail_error", "is_handled"]
    readonly_fields = ["created_at", "name", "email", "message", "mailed_at", "mail_error"]

    @admin.display(description="message")
    def beginning(self, message: ContactMessage) -> str:
        return message.message[:80]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
