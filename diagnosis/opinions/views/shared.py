"""What a doctor outside the clinic opens with a link and a code. Nothing else of the record is in reach here."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dermascan.core.client_address import client_network
from dermascan.core.errors import Refused
from dermascan.core.limits import Limit, charge, whole_seconds
from dermascan.core.once import once
from diagnosis.opinions.errors import OpinionIsClosed
from diagnosis.opinions.forms import CodeForm, OpinionForm
from diagnosis.opinions.links import is_signed
from diagnosis.opinions.models import AccessKind, OpinionRequest
from diagnosis.opinions.presentation import answer_in_words, shared_by
from diagnosis.opinions.services import answer_request, check_code, note_access

_REQUESTS = Limit("shared-opinion", 120, 60)
_CODES = Limit("shared-opinion-code", 20, 600)
_SESSION_KEY = "shared_opinions"


@require_http_methods(["GET", "HEAD", "POST"])
def shared(request: HttpRequest, request_id: UUID, signature: str) -> HttpResponse:
    """Ask for the code, and show what is shared once it was entered."""
    if wait := charge(_REQUESTS, client_network(request)):
        return _please_wait(request, wait)
    row = _find(request_id, signature)
    if not row.is_waiting:
        return _closed(request, row)
    if request.method == "POST":
        return _enter(request, row, signature)
    if _has_entered(request, row):
        note_access(row, AccessKind.SHOWN, client_network(request))
        return _show(request, row, signature)
    note_access(row, AccessKind.LINK, client_network(request))
    return _door(request, row, CodeForm())


@require_POST
@once
def answer(request: HttpRequest, request_id: UUID, signature: str) -> HttpResponse:
    """Record the answer, after which the link shows nothing more."""
    row = _find(request_id, signature)
    form = OpinionForm(request.POST)
    if not row.is_waiting:
        return _closed(request, row, unsent=form)
    if not _has_entered(request, row):
        return redirect("shared-opinion", request_id, signature)
    if not form.is_valid():
        return _show(request, row, signature, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        answer_request(request=row, network=client_network(request), **form.cleaned_data)
    except OpinionIsClosed:
        return _closed(request, _find(request_id, signature), unsent=form)
    except Refused as refused:
        form.add_error(None, refused.as_form_error())
        return _show(request, row, signature, form=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect("shared-opinion", request_id, signature)


@require_safe
def photograph(request: HttpRequest, request_id: UUID, signature: str, number: int) -> HttpResponse:
    """Return one of the shared photographs, re-encoded and without metadata."""
    row = _find(request_id, signature)
    if not row.is_waiting or not _has_entered(request, row):
        raise Http404
    image = get_object_or_404(row.images(), opinion_photographs__request=row, opinion_photographs__number=number)
    try:
        file = image.display.open("rb")
    except FileNotFoundError as error:
        raise Http404(_("This file is missing from the storage.")) from error
    response = FileResponse(file, content_type="image/jpeg")
    response["X-Content-Type-Options"] = "nosniff"
    return _private(response)  # type: ignore[arg-type]


def _find(request_id: UUID, signature: str) -> OpinionRequest:
    """Return the request of a link. A wrong signature answers as if there were no such request."""
    rows = OpinionRequest.objects.filter(outside_reader__isnull=False).select_related(
        "lesion__patient__clinic", "asked_by__user", "outside_reader"
    )
    row = rows.filter(pk=request_id).first()
    if row is None or not is_signed(row, signature):
        raise Http404(_("There is nothing at this address. Check that the link is complete."))
    return row


def _enter(request: HttpRequest, row: OpinionRequest, signature: str) -> HttpResponse:
    network = client_network(request)
    if wait := charge(_CODES, network):
        return _please_wait(request, wait)
    form = CodeForm(request.POST)
    if not form.is_valid():
        return _door(request, row, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        check_code(request=row, code=form.cleaned_data["code"], network=network)
    except OpinionIsClosed:
        return _closed(request, row)
    except Refused as refused:
        form.add_error("code", refused.as_form_error())
        return _door(request, row, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    # The code's number, so that a new code ends what the old one had opened.
    row.refresh_from_db()
    request.session[_SESSION_KEY] = {**request.session.get(_SESSION_KEY, {}), str(row.pk): row.code_number}
    return redirect("shared-opinion", row.pk, signature)


def _has_entered(request: HttpRequest, row: OpinionRequest) -> bool:
    opened = request.session.get(_SESSION_KEY, {})
    return isinstance(opened, dict) and opened.get(str(row.pk)) == row.code_number


def _door(request: HttpRequest, row: OpinionRequest, form: CodeForm, status: int = HTTPStatus.OK) -> HttpResponse:
    context = {"form": form, "opinion": row, "clinic": row.lesion.patient.clinic, "is_locked": row.is_locked}
    return _private(render(request, "opinions/door.html", context, status=status))


def _show(
    request: HttpRequest,
    row: OpinionRequest,
    signature: str,
    *,
    form: OpinionForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form or OpinionForm(),
        "opinion": row,
        "clinic": row.lesion.patient.clinic,
        "shared": shared_by(row, outside=True),
        "signature": signature,
    }
    return _private(render(request, "opinions/shared.html", context, status=status))


def _closed(request: HttpRequest, row: OpinionRequest, *, unsent: OpinionForm | None = None) -> HttpResponse:
    """Return the page of a request that is closed, with an answer that came too late, so that it can be told."""
    context = {"opinion": row, "state": str(row.state), "clinic": row.lesion.patient.clinic}
    if unsent is not None:
        context["unsent"] = answer_in_words(unsent)
    is_thanks = row.answered_at is not None
    status = HTTPStatus.OK if is_thanks else HTTPStatus.GONE
    return _private(render(request, "opinions/closed.html", context, status=status))


def _please_wait(request: HttpRequest, wait: float) -> HttpResponse:
    seconds = whole_seconds(wait)
    context = {"seconds": seconds, "minutes": -(-seconds // 60)}
    response = render(request, "429.html", context, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(seconds)
    return response


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store, private"
    # The address is a secret, so other sites must not learn it. “no-referrer” would hide it from our own CSRF check.
    response["Referrer-Policy"] = "same-origin"
    return response
