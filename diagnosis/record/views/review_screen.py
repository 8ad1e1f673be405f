"""The review screen, which shows one photograph at a time. It works with plain forms; JavaScript adds keys."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dermascan.core.durations import in_words
from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.images.models import Image
from diagnosis.record.last_step import last_step
from diagnosis.record.review_screen import BLINDED, Screen, is_blinded, on_screen, screen, shows_answer_at_once
from diagnosis.reviews.blinding import has_seen
from diagnosis.reviews.errors import AnsweredMeanwhile
from diagnosis.reviews.forms import ReviewForm
from diagnosis.reviews.labelled_images import with_confirmed_label
from diagnosis.reviews.lesion_queue import bring_back_lesion, prefer, reviews_by_lesion
from diagnosis.reviews.lesion_reviews import retract_with_group
from diagnosis.reviews.models import Review
from diagnosis.reviews.models.review import RETRACTABLE_FOR
from diagnosis.reviews.on_screen import look_at, look_away
from diagnosis.reviews.queue import bring_back, bring_back_skipped, claim, offer_for, skip
from diagnosis.reviews.review_words import answer_name
from diagnosis.reviews.services import ensure_nobody_answered, record_review, reviews_token
from patients.access import require_role
from patients.audit import note_read
from patients.middleware import MemberRequest
from patients.models import Member, Role


@require_role(Role.DERMATOLOGIST)
@require_safe
def next_photograph(request: MemberRequest) -> HttpResponse:
    """Show the photograph with the highest priority, or that the queue is empty."""
    member = request.member
    if reviews_by_lesion(member):
        return redirect("admin:review-lesions")
    offer = offer_for(member)
    image = _find(member, offer.entry.image_id) if offer.entry else None
    if image is not None:
        note_read(image.visit.patient, "image", str(image.pk))
        look_at(image=image, member=member)
    return _render(request, screen(request, member=member, image=image, offer=offer))


@require_role(Role.DERMATOLOGIST)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def photograph(request: MemberRequest, image_id: UUID) -> HttpResponse:
    """Show one photograph; POST records the answer."""
    member = request.member
    image = _find(member, image_id)
    form = ReviewForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid():
        try:
            review = _record(request, image, member, form)
        except AnsweredMeanwhile as conflict:
            return _stale(request, image, member, conflict, form=form)
        except Refused as error:
            messages.error(request, str(error), extra_tags=error.code)
            return redirect("admin:review")
        if review.was_blinded and shows_answer_at_once(member):
            return redirect("admin:review-photograph", image.pk)
        return redirect("admin:review")
    if hasattr(image, "queue_entry"):
        claim(image.queue_entry, member)
    look_at(image=image, member=member)
    content = screen(request, member=member, image=image, offer=offer_for(member, shown=image), form=form)
    return _render(request, content, status=200 if form is None else 422)


def _record(request: MemberRequest, image: Image, member: Member, form: ReviewForm) -> Review:
    """Record the answer. For a blinded reader, colleagues' answers are hidden on purpose, so there is no conflict."""
    was_blinded = is_blinded(request, member) and not has_seen(member, image)
    answer = {**form.cleaned_data, "made_from": None} if was_blinded else form.cleaned_data
    return record_review(image=image, reviewer=member, was_blinded=was_blinded, **answer)


def _stale(
    request: MemberRequest,
    image: Image,
    member: Member,
    conflict: AnsweredMeanwhile,
    *,
    form: ReviewForm | None = None,
) -> HttpResponse:
    """Show colleagues' new reviews next to the reader's own answer, which stays in the form."""
    if form is not None:
        form.renew(reviews_token(image=image, reader=member))
    offer = offer_for(member, shown=image)
    content = screen(request, member=member, image=image, offer=offer, form=form, conflict=conflict)
    return _render(request, content, status=409)


@require_role(Role.DERMATOLOGIST)
@require_safe
def others(request: MemberRequest, image_id: UUID) -> HttpResponse:
    """Show who else has the photograph open; the page polls this."""
    member = request.member
    image = get_object_or_404(Image.objects.visible_to(member), pk=image_id)
    look_at(image=image, member=member)
    return render(request, "record/includes/review_others.html", {"image": image, **on_screen(image, member)})


@require_role(Role.DERMATOLOGIST)
@require_POST
@once
def skip_photograph(request: MemberRequest, image_id: UUID) -> HttpResponse:
    member = request.member
    image = _find(member, image_id)
    if "made_from" in request.POST and not (is_blinded(request, member) and not has_seen(member, image)):
        try:
            ensure_nobody_answered(image=image, reader=member, made_from=request.POST["made_from"])
        except AnsweredMeanwhile as conflict:
            return _stale(request, image, member, conflict)
    skip(image, member)
    look_away(image=image, member=member)
    return redirect("admin:review")


@require_role(Role.DERMATOLOGIST)
@require_POST
@once
def undo(request: MemberRequest) -> HttpResponse:
    """Undo the reader's last step, and show its photograph again."""
    member = request.member
    step = last_step(member)
    if step is None:
        messages.error(
            request,
            _("There is nothing to undo. Only your last step can be undone, within %(time)s.")
            % {"time": in_words(RETRACTABLE_FOR)},
            extra_tags="nothing_to_undo",
        )
        return redirect("admin:review")
    if request.POST.get("step", step.key) != step.key:
        words = _("You have done something else since that page was loaded. Nothing was undone.")
        messages.error(request, words, extra_tags="stale_step")
        return _render(request, screen(request, member=member, image=None, offer=offer_for(member)), status=409)
    review = step.review
    if review is None:
        if reviews_by_lesion(member):
            bring_back_lesion(step.image, member)
            return redirect("admin:review-lesion", step.image.visit_id, step.image.lesion_id)
        bring_back(step.image, member)
        messages.info(request, _("This is the photograph that you skipped."))
        return redirect("admin:review-photograph", step.image.pk)
    if not step.is_undoable:
        messages.error(
            request,
            _(
                "You have seen the network's answer since, so this blinded review cannot be withdrawn. Add another "
                "review."
            ),
            extra_tags="network_seen_since",
        )
        return redirect(step.url)
    try:
        retract_with_group(review=review, by=member)
        messages.success(request, _("Undone: %(answer)s.") % {"answer": _words(review)}, extra_tags="review_undone")
    except Refused as error:
        messages.error(request, str(error), extra_tags=error.code)
    return redirect(step.url)


@require_role(Role.DERMATOLOGIST)
@require_POST
def mode(request: MemberRequest) -> HttpResponse:
    """Set whether the network's answer is hidden until the reader has answered; the clinic's rule takes precedence."""
    request.session[BLINDED] = request.POST.get("blinded") == "on"
    return redirect("admin:review")


@require_role(Role.DERMATOLOGIST)
@require_POST
def unit(request: MemberRequest) -> HttpResponse:
    """Remember whether the reader reviews photograph by photograph or lesion by lesion, and go there."""
    by_lesion = request.POST.get("by") == "lesion"
    prefer(request.member, by_lesion=by_lesion)
    return redirect("admin:review-lesions" if by_lesion else "admin:review")


@require_role(Role.DERMATOLOGIST)
@require_POST
def skipped(request: MemberRequest) -> HttpResponse:
    count = bring_back_skipped(request.member)
    words = ngettext(
        "%(count)d skipped photograph is back in your queue.",
        "%(count)d skipped photographs are back in your queue.",
        count,
    )
    messages.info(request, words % {"count": count})
    return redirect("admin:review")


def _render(request: MemberRequest, content: Screen, *, status: int = 200) -> HttpResponse:
    return render(request, "record/review.html", content.context(), status=status)


def _find(member: Member, image_id: UUID) -> Image:
    images = (
        with_confirmed_label(Image.objects.visible_to(member))
        .select_related("visit__patient__clinic", "visit__clinician__user", "lesion", "override")
        .select_related("queue_entry__claimed_by__user")
        .with_shown_prediction()
    )
    return get_object_or_404(images, pk=image_id)


def _words(review: Review) -> str:
    return answer_name(review.answer, review.other_text)
