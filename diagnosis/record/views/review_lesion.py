"""The review screen of a lesion: one answer for its photographs of one visit, and what is to be done with it."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.images.models import Image
from diagnosis.record.lesion_screen import lesion_content, reads_blinded_now
from diagnosis.record.review_screen import common_content, shows_answer_at_once
from diagnosis.reviews.errors import AnsweredMeanwhile
from diagnosis.reviews.lesion_form import LesionReviewForm
from diagnosis.reviews.lesion_queue import claim_lesion, offer_lesion, skip_lesion
from diagnosis.reviews.lesion_reviews import LesionAtVisit, group_token, record_lesion_review
from diagnosis.reviews.on_screen import look_at, look_away
from patients.access import require_role
from patients.audit import note_read
from patients.middleware import MemberRequest
from patients.models import Lesion, Member, Role, Visit


@require_role(Role.DERMATOLOGIST)
@require_safe
def next_lesion(request: MemberRequest) -> HttpResponse:
    """Show the lesion with the most pressing photograph, or that the queue is empty."""
    member = request.member
    offer = offer_lesion(member)
    if offer.place is None:
        content = common_content(request, member, waiting=offer.photographs, lesions=offer.lesions)
        return render(request, "record/review.html", {**content, "is_by_lesion": True})
    of = _find(member, *offer.place)
    note_read(of.lesion.patient, "lesion", str(of.lesion.pk))
    look_at(image=_photographs_of(of)[0], member=member)
    return _render(request, lesion_content(request, member=member, of=of, offer=offer))


@require_role(Role.DERMATOLOGIST)
@require_http_methods(["GET", "HEAD", "POST"])
@once
def lesion(request: MemberRequest, visit_id: UUID, lesion_id: UUID) -> HttpResponse:
    """Show a lesion as it was photographed at a visit; POST records the answer."""
    member = request.member
    of = _find(member, visit_id, lesion_id)
    images = _photographs_of(of)
    form = LesionReviewForm(request.POST, images=images) if request.method == "POST" else None
    conflict = None
    if form is not None and form.is_valid():
        try:
            was_blinded = _record(request, of, images, form)
        except AnsweredMeanwhile as answered:
            conflict = answered
            form.renew(group_token(images=images, reader=member))
        except Refused as error:
            messages.error(request, str(error), extra_tags=error.code)
            return redirect("admin:review-lesion", visit_id, lesion_id)
        else:
            if was_blinded and shows_answer_at_once(member):
                return redirect("admin:review-lesion", visit_id, lesion_id)
            return redirect("admin:review-lesions")
    claim_lesion(images=images, member=member)
    look_at(image=images[0], member=member)
    offer = offer_lesion(member, shown=(visit_id, lesion_id))
    content = lesion_content(request, member=member, of=of, offer=offer, form=form, conflict=conflict)
    return _render(request, content, status=409 if conflict else 422 if form is not None else 200)


def _record(request: MemberRequest, of: LesionAtVisit, images: list[Image], form: LesionReviewForm) -> bool:
    """Record the answer and return whether it was blinded; see ``review_screen`` on colleagues' answers."""
    was_blinded = reads_blinded_now(request, request.member, images)
    answer = {**form.cleaned_data, "made_from": None} if was_blinded else form.cleaned_data
    record_lesion_review(of=of, reviewer=request.member, was_blinded=was_blinded, **answer)
    for image in images:
        look_away(image=image, member=request.member)
    return was_blinded


@require_role(Role.DERMATOLOGIST)
@require_POST
@once
def skip(request: MemberRequest, visit_id: UUID, lesion_id: UUID) -> HttpResponse:
    images = _photographs_of(_find(request.member, visit_id, lesion_id))
    skip_lesion(images=images, member=request.member)
    for image in images:
        look_away(image=image, member=request.member)
    return redirect("admin:review-lesions")


def _find(member: Member, visit_id: UUID, lesion_id: UUID) -> LesionAtVisit:
    visits = Visit.objects.visible_to(member).select_related("patient__clinic", "clinician__user")
    visit = get_object_or_404(visits, pk=visit_id)
    lesions = Lesion.objects.visible_to(member).select_related("patient__clinic")
    return LesionAtVisit(get_object_or_404(lesions, pk=lesion_id, patient=visit.patient_id), visit)


def _photographs_of(of: LesionAtVisit) -> list[Image]:
    images = list(of.photographs())
    if not images:
        raise Http404(_("There is no photograph of this lesion at this visit."))
    return images


def _render(request: MemberRequest, content: dict[str, object], *, status: int = 200) -> HttpResponse:
    return render(request, "record/review.html", content, status=status)
