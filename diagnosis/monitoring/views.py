"""The performance pages of a clinic and of all clinics, incidents, and metrics for Prometheus."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from diagnosis.monitoring.incidents import acknowledge_incident
from diagnosis.monitoring.models import Incident
from diagnosis.monitoring.notifications import with_messages
from diagnosis.monitoring.page_figures import figures_for
from diagnosis.monitoring.prometheus import CONTENT_TYPE, may_read_metrics, metrics_text
from patients.access import EVERYONE_IN_THE_CLINIC, is_operator, require_role
from patients.admin.scope import CLINICIANS
from patients.middleware import ClinicRequest, MemberRequest

NEWEST_INCIDENTS = 20


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_safe
def watch(request: MemberRequest) -> HttpResponse:
    incidents = Incident.objects.visible_to(request.member)
    context = {
        "incidents": [(incident, []) for incident in _listed(incidents)],
        "may_acknowledge": request.member.role in CLINICIANS,
        **figures_for(request.member.clinic),
    }
    return render(request, "monitoring/watch.html", context)


@login_required
@require_safe
def watch_site(request: ClinicRequest) -> HttpResponse:
    if not is_operator(request):
        raise PermissionDenied(_("This page is for the operator."))
    context = {
        "incidents": with_messages(_listed(Incident.objects.all())),
        "may_acknowledge": True,
        "is_site": True,
        **figures_for(None),
    }
    return render(request, "monitoring/watch.html", context)


@login_required
@require_POST
def acknowledge(request: ClinicRequest, incident_id: UUID) -> HttpResponse:
    if is_operator(request):
        incidents = Incident.objects.all()
    elif request.member is not None and request.member.role in CLINICIANS:
        incidents = Incident.objects.visible_to(request.member)
    else:
        raise PermissionDenied(_("Only dermatologists and managers can acknowledge incidents."))
    incident = get_object_or_404(incidents, pk=incident_id)
    if acknowledge_incident(incident=incident, by=request.user):  # type: ignore[arg-type]
        messages.success(request, _("Acknowledged. The incident stays listed until it is over."))
    else:
        messages.info(request, _("This incident has already been acknowledged, or is over."))
    return redirect("watch" if request.member else "watch-site")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read_metrics(request):
        raise PermissionDenied(
            _("Send the token in DERMASCAN_METRICS_TOKEN, or if none is set, send the request from this machine.")
        )
    return HttpResponse(metrics_text(), content_type=CONTENT_TYPE)


def _listed(incidents: Any) -> list[Incident]:
    rows = incidents.select_related("clinic", "acknowledged_by")[:NEWEST_INCIDENTS]
    return list(rows)
