"""The page on agreement between readers, and between readers and network."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from diagnosis.images.condition_names import condition_name
from diagnosis.reviews.agreement import review_for_agreement, reviews_seen_by
from diagnosis.reviews.changed_minds import changed_minds
from mlmodel.taxonomy import CONDITIONS
from patients.access import is_operator
from patients.admin.scope import CLINICIANS
from patients.middleware import ClinicRequest

PERIODS = (30, 90, 365)


@require_safe
def agreement(request: ClinicRequest) -> HttpResponse:
    is_superuser = is_operator(request)
    if not is_superuser and (request.member is None or request.member.role not in CLINICIANS):
        raise PermissionDenied(_("This page is for dermatologists and managers."))
    days = next((days for days in PERIODS if str(days) == request.GET.get("days")), None)
    since = timezone.now() - timedelta(days=days) if days else None
    reviews = reviews_seen_by(request.member, is_superuser=is_superuser)
    context = {
        "blinded": review_for_agreement(reviews=reviews, since=since, blinded=True),
        "unblinded": review_for_agreement(reviews=reviews, since=since, blinded=False),
        "changed_minds": changed_minds(reviews=reviews, since=since),
        "days": days,
        "periods": PERIODS,
        "classes": [(condition.code, condition_name(condition)) for condition in CONDITIONS],
    }
    return render(request, "reviews/agreement.html", context)
