"""Middleware that adds the signed-in member to the request."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from patients import privacy
from patients.models import Member, Patient
from patients.services.merged_records import RecordIsMerged, survivor_of


class ClinicRequest(HttpRequest):
    """A request that went through ``CurrentMemberMiddleware``."""

    member: Member | None
    htmx: HtmxDetails


class MemberRequest(ClinicRequest):
    """A request from a member of a clinic: what ``require_role`` lets through without ``operator``."""

    member: Member


class CurrentMemberMiddleware:
    """Sets ``request.member``: the user's membership of a clinic, or None for visitors and patients.

    Within it, pages hide who patients are if the member has switched privacy mode on; see ``patients.privacy``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.member = current_member(request)  # type: ignore[attr-defined]
        with privacy.switched(request.member is not None and bool(request.session.get(privacy.SESSION_KEY))):  # type: ignore[attr-defined]
            return self.get_response(request)


def current_member(request: HttpRequest) -> Member | None:
    if not request.user.is_authenticated:
        return None
    return Member.objects.select_related("clinic", "user").filter(user=request.user).first()


class MergedRecordsMiddleware:
    """Leads every address of a patient's record that was merged into another one to the survivor's."""

    # Addresses that are about the merged record itself.
    OF_THE_MERGED = frozenset({"patient-history"})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a request that a colleague's merge has overtaken."""
        if not isinstance(exception, RecordIsMerged):
            return None
        messages.error(request, str(exception), extra_tags=exception.code)
        return redirect(exception.survivor)

    def process_view(
        self, request: ClinicRequest, view: object, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if "patient_id" not in kwargs or request.member is None or match is None or match.url_name is None:
            return None
        merged = Patient.objects.visible_to(request.member).filter(merged_into__isnull=False, pk=kwargs["patient_id"])
        patient = None if match.url_name in self.OF_THE_MERGED else merged.first()
        if patient is None:
            return None
        survivor = survivor_of(patient)
        if request.method not in ("GET", "HEAD"):
            messages.error(request, str(RecordIsMerged(survivor)), extra_tags=RecordIsMerged.code)
            return redirect(survivor)
        words = _("%(number)s was merged into this record.") % {"number": patient.record_number}
        messages.info(request, words)
        return redirect(match.view_name, **{**kwargs, "patient_id": survivor.pk})
