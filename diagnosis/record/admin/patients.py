"""The admin of patients and lesions with their findings, which ``patients`` cannot import."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from diagnosis.assessment.chips import Chip, in_order
from diagnosis.assessment.findings import excluded_findings
from diagnosis.assessment.photographs import by_lesion, photographs
from diagnosis.images.models import Image
from diagnosis.record.admin.chip_columns import chips_html, status_in_words, trouble_html
from diagnosis.record.admin.remarks import ShowsRemarks, of_a_lesion, of_a_patient
from diagnosis.record.visit_chips import Trouble, chips_at, troubled_reports_at
from diagnosis.reviews.blinding import note_seen, unread_among
from patients.admin.records import LesionAdmin, LesionInline, PatientAdmin, VisitInline
from patients.admin.scope import member_of
from patients.models import Lesion, Member, Patient, Visit

admin.site.unregister(Patient)
admin.site.unregister(Lesion)


class ForReader:
    """An inline that withholds from a reader what a list withholds."""

    _reader: Member | None = None

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        self._reader = member_of(request)
        return super().get_formset(request, obj, **kwargs)  # type: ignore[misc]


class LesionWithSignsInline(ForReader, LesionInline):
    """The lesions of one patient with their chips, loaded in one go."""

    _chips: dict[UUID, list[Chip]] | None = None

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_fields(request, obj), "chips"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    @admin.display(description=_("state"))
    def chips(self, lesion: Lesion) -> SafeString:
        if self._chips is None:
            of_the_patient = Image.objects.filter(visit__patient=lesion.patient_id)
            groups = by_lesion(photographs(of_the_patient.in_use(), reader=self._reader))
            self._chips = {group.lesion.pk: list(group.chips) for group in groups}
            for each in excluded_findings(of_the_patient):
                self._chips[each.lesion.pk] = in_order([each.chip, *self._chips.get(each.lesion.pk, ())])
        return chips_html(self._chips.get(lesion.pk, ()))


class VisitWithReportInline(ForReader, VisitInline):
    """The visits of one patient with their chips and report problems, loaded in one go."""

    _troubled: dict[UUID, Trouble] | None = None
    _chips: dict[UUID, tuple[Chip, ...]] | None = None

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["status_now" if name == "status" else name for name in super().get_fields(request, obj)]
        return [*fields, "chips", "trouble"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    @admin.display(description=_("status"))
    def status_now(self, visit: Visit) -> str:
        return status_in_words(visit, self._trouble_with(visit))

    @admin.display(description=_("findings"))
    def chips(self, visit: Visit) -> SafeString:
        if self._chips is None:
            self._chips = chips_at(visit.patient.visits.all(), self._reader)
        return chips_html(self._chips.get(visit.pk, ()))

    @admin.display(description=_("report now"))
    def trouble(self, visit: Visit) -> str:
        return trouble_html(self._trouble_with(visit))

    def _trouble_with(self, visit: Visit) -> Trouble | None:
        if self._troubled is None:
            self._troubled = troubled_reports_at(visit.patient.visits.all())
        return self._troubled.get(visit.pk)


@admin.register(Patient)
class PatientWithFindingsAdmin(ShowsRemarks, PatientAdmin):
    inlines = (LesionWithSignsInline, VisitWithReportInline)

    class Media:
        css = {"all": ("css/admin.css",)}

    def remarks_on(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        images = list(Image.objects.in_use().filter(visit__patient=row))
        unread = unread_among(member_of(request), images)
        note_seen(member_of(request), [image for image in images if image.pk not in unread])
        return of_a_patient(row)


@admin.register(Lesion)
class LesionWithFindingsAdmin(ShowsRemarks, LesionAdmin):
    class Media:
        css = {"all": ("css/admin.css",)}

    def remarks_on(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        note_seen(member_of(request), Image.objects.in_use().filter(lesion=row))
        return of_a_lesion(row)
