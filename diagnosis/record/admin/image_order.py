"""The order of the list of photographs, each read from a matching index.

The list's filters decide what is listed; the index is read most urgent or newest first until the page is full. With
100,000 photographs that takes a millisecond, while sorting them takes a second.
"""

from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from diagnosis.images.models import Image, Prediction, Tier
from diagnosis.record.admin.filters import ReviewFilter, TierFilter
from diagnosis.reviews.models import ConfirmedLabel, QueueEntry
from diagnosis.reviews.models.queue import QueueQuerySet
from patients.admin.scope import scoped


def keys_in_order(request: HttpRequest, images: QuerySet[Image]) -> QuerySet[Any]:
    """Return the primary keys of ``images`` in the order that the filters ask for."""
    review = request.GET.get(ReviewFilter.parameter_name)
    tier = request.GET.get(TierFilter.parameter_name)
    # A search result is small, and a click on a column asks for the order of that column.
    if request.GET.get(SEARCH_VAR) or ORDER_VAR in request.GET:
        return images.values_list("pk", flat=True)
    if review == ReviewFilter.NEEDED:
        return _waiting(request).filter(_is_of(images)).in_order().values_list("image_id", flat=True)
    if tier in Tier.values:
        predictions = Prediction.objects.shown().of_shown_tier(tier).filter(_is_of(images))
        return predictions.order_by("-created_at").values_list("image_id", flat=True)
    if review == ReviewFilter.CONFIRMED:
        labels = ConfirmedLabel.objects.filter(_is_of(images), settled_at__isnull=False)
        return labels.order_by("-settled_at").values_list("image_id", flat=True)
    if review == ReviewFilter.NOT_JUDGED:
        # These come first in the query, because there are few.
        unanalysed = Image.objects.filter(~Exists(Prediction.objects.filter(image=OuterRef("pk"))))
        return unanalysed.filter(Exists(images.order_by().filter(pk=OuterRef("pk")))).values_list("pk", flat=True)
    return images.values_list("pk", flat=True)


def _waiting(request: HttpRequest) -> QueueQuerySet:
    """Return the waiting entries, filtered by clinic directly since the index starts with the clinic."""
    return scoped(QueueEntry.objects.waiting(), request)  # type: ignore[return-value]


def _is_of(images: QuerySet[Image]) -> Exists:
    return Exists(images.order_by().filter(pk=OuterRef("image")))
