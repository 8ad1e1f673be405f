"""The admin of the review queue: a list with filters and search. Reviews are made on the review screen."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diagnosis.record.admin.chip_columns import ShowsChips
from diagnosis.reviews.blinding import reads_blinded
from diagnosis.reviews.models import QueueEntry, QueueState, Reason
from diagnosis.reviews.models.queue import NEEDS_CONSENSUS
from patients.admin.scope import ClinicScopedAdmin, member_of, patient_cell

READERS = {
    1: gettext_lazy("a first reader"),
    2: gettext_lazy("a second reader"),
    3: gettext_lazy("a third reader"),
    NEEDS_CONSENSUS: gettext_lazy("a consensus"),
}


class StateFilter(admin.SimpleListFilter):
    """Limits the list to waiting entries, unless done ones are selected."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(QueueState.DONE, QueueState.DONE.label)]

    def choices(self, changelist: Any) -> Any:
        waiting, *others = super().choices(changelist)
        yield {**waiting, "display": QueueState.WAITING.label}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = QueueState.DONE if self.value() == QueueState.DONE else QueueState.WAITING
        return queryset.filter(state=state)


class ReasonFilter(admin.SimpleListFilter):
    """Filters by the main reason."""

    title = gettext_lazy("main reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Reason.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason=self.value()) if self.value() in Reason.values else queryset


class ReaderFilter(admin.SimpleListFilter):
    """Filters by the reader that is needed."""

    title = gettext_lazy("reader")
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(number), words) for number, words in READERS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        needs = {str(number): number for number in READERS}.get(self.value() or "")
        return queryset.filter(needs=needs) if needs else queryset


# What a blinded reader may filter the queue by: nothing that the network's answer decides.
ALLOWED_BLINDED = {"entered_at", "clinic", StateFilter.parameter_name, ReaderFilter.parameter_name}


def _is_blinded(request: HttpRequest) -> bool:
    return reads_blinded(member_of(request))


@admin.register(QueueEntry)
class QueueEntryAdmin(ShowsChips, ClinicScopedAdmin):
    list_display = (
        "photograph",
        "chips",
        "patient",
        "lesion",
        "why",
        "review",
        "waits_for",
        "entered_at",
        "on_the_screen_of",
        "clinic",
    )
    list_display_links = None
    list_filter = (StateFilter, ReasonFilter, ReaderFilter, "entered_at")
    list_select_related = ("image__visit__patient", "image__lesion", "claimed_by__user", "clinic")
    list_per_page = 25
    ordering = ("-priority", "pk")
    search_fields = ("image__visit__patient__record_number",)
    patient_path = "image__visit__patient"
    search_help_text = gettext_lazy("Patient's name or record number")
    fields = (
        "image",
        "clinic",
        "state",
        "priority",
        "reason_words",
        "waits_for",
        "entered_at",
        "on_the_screen_of",
        "review",
    )
    readonly_fields = fields

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": _("Review queue"), **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> Any:
        """Hide state and reason from a blinded reader, since they reveal the network's answer."""
        columns = super().get_list_display(request)
        return [column for column in columns if not (_is_blinded(request) and column in ("chips", "why"))]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Hide why it waits from a blinded reader on the entry's own page, too."""
        return [each for each in self.fields if not (_is_blinded(request) and each in ("priority", "reason_words"))]

    def remarks_on(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Hide the warnings from a blinded reader, too."""
        return {} if _is_blinded(request) else super().remarks_on(request, row)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse a blinded reader every filter by address that the list does not offer, such as “?reason=urgent”."""
        if _is_blinded(request) and lookup.partition("__")[0] not in ALLOWED_BLINDED:
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Hide the filter by reason from a blinded reader, too."""
        filters = super().get_list_filter(request)
        return [each for each in filters if not (_is_blinded(request) and each is ReasonFilter)]

    @admin.display(description=gettext_lazy("photograph"))
    def photograph(self, entry: QueueEntry) -> SafeString:
        return format_html(
            '<a href="{}"><img class="admin-thumbnail" src="{}" alt="{}" loading="lazy"></a>',
            reverse("admin:review-photograph", args=[entry.image_id]),
            reverse("image-file", args=[entry.image_id, "thumbnail"]),
            _("Review %(lesion)s") % {"lesion": entry.image.lesion},
        )

    @admin.display(description=gettext_lazy("patient"))
    def patient(self, entry: QueueEntry) -> SafeString:
        return patient_cell(entry.image.visit.patient)

    @admin.display(description=gettext_lazy("lesion"))
    def lesion(self, entry: QueueEntry) -> str:
        return str(entry.image.lesion)

    @admin.display(description=gettext_lazy("why"))
    def why(self, entry: QueueEntry) -> str:
        return "; ".join(entry.reason_words) or "–"

    @admin.display(description=gettext_lazy("waits for"))
    def waits_for(self, entry: QueueEntry) -> str:
        return str(READERS.get(entry.needs, "–"))

    @admin.display(description=gettext_lazy("on the screen of"))
    def on_the_screen_of(self, entry: QueueEntry) -> str:
        return entry.claimed_by.name if entry.claimed_by else "–"

    @admin.display(description=gettext_lazy("review"))
    def review(self, entry: QueueEntry) -> SafeString:
        address = reverse("admin:review-photograph", args=[entry.image_id])
        return format_html('<a href="{}">{}</a>', address, _("Open"))
