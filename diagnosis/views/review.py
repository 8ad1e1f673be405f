"""The review screen: one photograph at a time, an answer, and on to the next. Plain forms; scripts only add keys."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from diagnosis.forms import ReviewForm
from diagnosis.models import Image, Review
from diagnosis.models.review import RETRACTABLE_FOR
from diagnosis.review_screen import BLINDED, Screen, SeenAnswers, is_blinded, last_step, screen
from diagnosis.review_words import answer_name
from diagnosis.services.errors import Refused
from diagnosis.services.queue import bring_back, bring_back_skipped, claim, offer_for, skip
from diagnosis.services.reviews import record_review, retract_review
from patients.durations import in_words
from patients.middleware import ClinicRequest
from patients.models import Member
from patients.once import once

View = Callable[..., HttpResponse]


def for_readers(view: View) -> View:
    """Let in dermatologists: whoever else works in the admin has nothing to sign a review with."""

    @wraps(view)
    def guarded(request: ClinicRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.member is None or not request.member.is_dermatologist:
            raise PermissionDenied(_("Photographs are reviewed by the clinic's dermatologists."))
        return view(request, *args, **kwargs)

    return guarded


@for_readers
@require_safe
def next_photograph(request: ClinicRequest) -> HttpResponse:
    """What is worth most of what waits; or that nothing does."""
    member = _member(request)
    offer = offer_for(member)
    image = _find(member, offer.entry.image_id) if offer.entry else None
    return _render(request, screen(request, member=member, image=image, offer=offer))


@for_readers
@require_http_methods(["GET", "HEAD", "POST"])
@once
def photograph(request: ClinicRequest, image_id: UUID) -> HttpResponse:
    """One photograph; POST is the answer."""
    member = _member(request)
    image = _find(member, image_id)
    form = ReviewForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid():
        was_blinded = is_blinded(request, member) and not SeenAnswers(request).holds(image)
        try:
            record_review(image=image, reviewer=member, was_blinded=was_blinded, **form.cleaned_data)
        except Refused as error:
            messages.error(request, str(error))
        return redirect("admin:review")
    if hasattr(image, "queue_entry"):
        claim(image.queue_entry, member)
    shown = screen(request, member=member, image=image, offer=offer_for(member, shown=image), form=form)
    return _render(request, shown, status=200 if form is None else 422)


@for_readers
@require_POST
@once
def skip_photograph(request: ClinicRequest, image_id: UUID) -> HttpResponse:
    member = _member(request)
    skip(_find(member, image_id), member)
    return redirect("admin:review")


@for_readers
@require_POST
@once
def undo(request: ClinicRequest) -> HttpResponse:
    """Take back what the reader did last, and show its photograph again."""
    member = _member(request)
    step = last_step(member)
    if step is None:
        messages.error(
            request,
            _("There is nothing to take back: the last step can be taken back, for %(time)s, and no more.")
            % {"time": in_words(RETRACTABLE_FOR)},
        )
        return redirect("admin:review")
    review = step.review
    if review is None:
        bring_back(step.image, member)
        messages.info(request, _("Here is the photograph again that you put aside."))
        return redirect("admin:review-photograph", step.image.pk)
    if review.was_blinded and SeenAnswers(request).holds(review.image):
        messages.error(
            request, _("You have seen the network's answer since, so this blinded review stays. Add another.")
        )
        return redirect("admin:review-photograph", review.image_id)
    try:
        retract_review(review=review, by=member)
        messages.success(request, _("Taken back: %(answer)s.") % {"answer": _words(review)})
    except Refused as error:
        messages.error(request, str(error))
    return redirect("admin:review-photograph", review.image_id)


@for_readers
@require_POST
def mode(request: ClinicRequest) -> HttpResponse:
    """Hide the network's answer until one has answered, or show it from the start, where the clinic leaves it open."""
    request.session[BLINDED] = request.POST.get("blinded") == "on"
    return redirect("admin:review")


@for_readers
@require_POST
def skipped(request: ClinicRequest) -> HttpResponse:
    count = bring_back_skipped(_member(request))
    words = ngettext(
        "%(count)d photograph is back in your queue.", "%(count)d photographs are back in your queue.", count
    )
    messages.info(request, words % {"count": count})
    return redirect("admin:review")


def _render(request: ClinicRequest, shown: Screen, *, status: int = 200) -> HttpResponse:
    return render(request, "diagnosis/review.html", shown.context(), status=status)


def _find(member: Member, image_id: UUID) -> Image:
    images = (
        Image.objects.visible_to(member)
        .select_related("visit__patient__clinic", "visit__clinician__user", "lesion", "override")
        .select_related("queue_entry__claimed_by__user")
        .with_confirmed_label()
        .with_shown_prediction()
    )
    return get_object_or_404(images, pk=image_id)


def _words(review: Review) -> str:
    return answer_name(review.answer, review.other_text)


def _member(request: ClinicRequest) -> Member:
    assert request.member is not None, "for_readers lets nobody else in"
    return request.member
