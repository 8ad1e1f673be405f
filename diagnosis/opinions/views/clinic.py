"""The clinic's pages of second opinions: ask, the list, one request, revoke, a new code, a colleague's answer."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dermascan.core.errors import Refused
from dermascan.core.once import key_of, once, to_be_made_again
from diagnosis.opinions.forms import AskForm, OpinionForm
from diagnosis.opinions.models import AccessKind, OpinionRequest
from diagnosis.opinions.presentation import answer_in_words, shared_by
from diagnosis.opinions.services import (
    answer_request,
    ask_for_opinion,
    code_made_for,
    give_new_code,
    mark_answer_seen,
    revoke_request,
)
from patients.access import require_role
from patients.audit import note_list
from patients.middleware import MemberRequest
from patients.models import Lesion, MessageKind, OutgoingMessage, Role

SHOWN_ACCESSES = 50
PAGE_LENGTH = 25


def _code_again(request: HttpRequest, made_from: dict[str, str]) -> HttpResponse:
    """Return the page of a form that was already sent, with its code, which is not stored."""
    opinion = get_object_or_404(OpinionRequest.objects.visible_to(request.member), pk=made_from["request"])  # type: ignore[attr-defined]
    code = code_made_for(form_key=key_of(request), request=opinion)
    return _page(request, opinion, code=code)  # type: ignore[arg-type]


@require_role(Role.DERMATOLOGIST)
@once(again=_code_again)
def ask(request: MemberRequest, lesion_id: UUID) -> HttpResponse:
    """Ask another doctor about a lesion. For a doctor outside the clinic, the answer shows the code, once."""
    lesions = Lesion.objects.visible_to(request.member).select_related("patient__clinic")
    lesion = get_object_or_404(lesions, pk=lesion_id)
    form = AskForm(request.POST if request.method == "POST" else None, lesion=lesion, by=request.member)
    if request.method == "POST" and form.is_valid():
        try:
            opinion, code = ask_for_opinion(
                lesion=lesion,
                by=request.member,
                of=form.doctor,
                images=list(form.cleaned_data["photographs"]),
                question=form.cleaned_data["question"],
                days=form.cleaned_data["days"],
                shares_age_and_sex=form.cleaned_data["shares_age_and_sex"],
                form_key=key_of(request),
            )
        except Refused as refused:
            form.add_error(None, refused.as_form_error())
        else:
            if code:
                page = _page(request, opinion, code=code)
                return to_be_made_again(page, request=str(opinion.pk))
            messages.success(request, _("%(name)s is asked.") % {"name": opinion.doctor.name})
            return redirect(opinion)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    context = {"form": form, "lesion": lesion, "patient": lesion.patient, "offered": list(form.offered)}
    return render(request, "opinions/ask.html", context, status=status)


@require_role(Role.DERMATOLOGIST)
@require_safe
def opinions(request: MemberRequest) -> HttpResponse:
    """List what was asked of the member, and what the member asked others."""
    rows = OpinionRequest.objects.visible_to(request.member).select_related(
        "lesion__patient", "asked_by__user", "colleague__user", "outside_reader"
    )
    page = Paginator(rows.filter(asked_by=request.member), PAGE_LENGTH).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "waiting": rows.waiting_for(request.member),
        "unread": rows.unread_by(request.member),
        "unanswered": rows.unanswered_of(request.member)[:SHOWN_ACCESSES],
        "page": page,
    }
    note_list("second opinions", sum(len(context[name]) for name in context))
    return render(request, "opinions/opinions.html", context)


@require_role(Role.DERMATOLOGIST)
@require_safe
def opinion(request: MemberRequest, request_id: UUID) -> HttpResponse:
    return _page(request, _find(request, request_id))


@require_role(Role.DERMATOLOGIST)
@require_POST
@once
def answer(request: MemberRequest, request_id: UUID) -> HttpResponse:
    """Record the answer of the colleague who was asked."""
    row = _find(request, request_id)
    form = OpinionForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form=form)
    try:
        answer_request(request=row, by=request.member, **form.cleaned_data)
    except Refused as refused:
        return _page(request, row, form=form, refused=str(refused))
    messages.success(request, _("Your answer is recorded as your review of the photographs."))
    return redirect(row)


@require_role(Role.DERMATOLOGIST)
@require_POST
@once
def revoke(request: MemberRequest, request_id: UUID) -> HttpResponse:
    row = _find(request, request_id)
    try:
        revoke_request(request=row, by=request.member)
    except Refused as refused:
        messages.info(request, str(refused), extra_tags=refused.code)
    else:
        messages.success(request, _("The request is revoked: its link and code no longer work."))
    return redirect(row)


@require_role(Role.DERMATOLOGIST)
@once(again=_code_again)
@require_POST
def new_code(request: MemberRequest, request_id: UUID) -> HttpResponse:
    """Replace the code of a link and show the new one, once."""
    row = _find(request, request_id)
    try:
        row, code = give_new_code(request=row, by=request.member, form_key=key_of(request))
    except Refused as refused:
        messages.info(request, str(refused), extra_tags=refused.code)
        return redirect(row)
    return to_be_made_again(_page(request, row, code=code), request=str(row.pk))


def _find(request: MemberRequest, request_id: UUID) -> OpinionRequest:
    rows = OpinionRequest.objects.visible_to(request.member).select_related(
        "lesion__patient__clinic", "asked_by__user", "colleague__user", "outside_reader", "revoked_by__user"
    )
    return get_object_or_404(rows, pk=request_id)


def _page(
    request: MemberRequest,
    row: OpinionRequest,
    *,
    code: str = "",
    form: OpinionForm | None = None,
    refused: str = "",
) -> HttpResponse:
    row = _find(request, row.pk)
    mark_answer_seen(request=row, by=request.member)
    is_asked = row.colleague_id == request.member.pk
    answers = row.answers.select_related("review__reviewer__user", "review__outside_reader", "review__retraction")
    context: dict[str, Any] = {
        "opinion": row,
        "lesion": row.lesion,
        "patient": row.lesion.patient,
        "shared": shared_by(row),
        "code": code,
        "is_asked": is_asked,
        "review": next((each.review for each in answers), None),
        "review_count": len(answers),
        "letter": OutgoingMessage.objects.filter(kind=MessageKind.OPINION_ASKED, about=row.pk).first(),
    }
    if is_asked and row.is_waiting:
        context["form"] = form or OpinionForm()
    if refused and form is not None:
        context |= {"refused": refused, "unsent": answer_in_words(form)}
    if row.outside_reader is not None:
        accesses = row.accesses.all()
        context["accesses"] = accesses[:SHOWN_ACCESSES]
        context["times_shown"] = accesses.filter(kind__in=(AccessKind.CODE, AccessKind.SHOWN)).count()
    invalid = form is not None and form.is_bound
    status = HTTPStatus.UNPROCESSABLE_ENTITY if invalid else HTTPStatus.CREATED if code else HTTPStatus.OK
    response = render(request, "opinions/opinion.html", context, status=status)
    response["Cache-Control"] = "no-store, private"
    return response
