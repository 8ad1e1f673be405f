"""The page of a member's own API tokens, on which managers also see and revoke the clinic's."""

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dermascan.core.once import key_of, once, to_be_made_again
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.access_forms import ApiTokenForm
from patients.middleware import MemberRequest
from patients.models import ApiToken, User
from patients.services import TokenRefused, create_api_token, key_made_for, revoke_api_token


def _created(request: HttpRequest, made_from: dict[str, str]) -> HttpResponse:
    """Return the response to a form that has already created a token: the page with its key, which is not stored."""
    token = get_object_or_404(ApiToken, pk=made_from["token"], member=request.member)  # type: ignore[attr-defined]
    key = key_made_for(form_key=key_of(request), token=token)
    return _page(request, ApiTokenForm(), new={"name": token.name, "key": key})  # type: ignore[arg-type]


@require_role(*EVERYONE_IN_THE_CLINIC)
@once(again=_created)
@require_http_methods(["GET", "HEAD", "POST"])
def api_tokens(request: MemberRequest) -> HttpResponse:
    """List tokens and create one, whose key is shown in the response and never again."""
    form = ApiTokenForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            token, key = create_api_token(
                member=request.member,
                name=form.cleaned_data["name"],
                expires_at=form.expires_at,
                form_key=key_of(request),
            )
        except TokenRefused as refused:
            form.add_error(None, refused.as_form_error())
        else:
            page = _page(request, ApiTokenForm(), new={"name": token.name, "key": key})
            return to_be_made_again(page, token=str(token.pk))
    return _page(request, form)


def _page(request: MemberRequest, form: ApiTokenForm, *, new: dict[str, str] | None = None) -> HttpResponse:
    tokens = ApiToken.objects.visible_to(request.member).select_related("member__user", "revoked_by")
    context = {
        "form": form,
        "new": new,
        "own": [token for token in tokens if token.member_id == request.member.pk],
        "others": [token for token in tokens if token.member_id != request.member.pk],
    }
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.CREATED if new else HTTPStatus.OK
    response = render(request, "patients/api_tokens.html", context, status=status)
    response["Cache-Control"] = "no-store, private"
    return response


@require_role(*EVERYONE_IN_THE_CLINIC)
@once
@require_POST
def api_token_revoke(request: MemberRequest, token_id: UUID) -> HttpResponse:
    assert isinstance(request.user, User)
    token = get_object_or_404(ApiToken.objects.visible_to(request.member), pk=token_id)
    if revoke_api_token(token=token, by=request.user):
        messages.success(request, _("“%(name)s” was revoked and no longer works.") % {"name": token.name})
    else:
        messages.info(request, _("“%(name)s” had already stopped working.") % {"name": token.name})
    return redirect("api-tokens")
