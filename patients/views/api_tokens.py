"""A member's own tokens for the API; a manager sees and revokes the clinic's too."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.forms import ApiTokenForm
from patients.middleware import ClinicRequest
from patients.models import ApiToken, User
from patients.once import once
from patients.services import TokenRefused, create_api_token, revoke_api_token

# In the session from the post to the page after it. A double click asks for that page twice.
_TO_SHOW = "new_api_token"
_SHOWN_FOR_SECONDS = 20


@require_role(*EVERYONE_IN_THE_CLINIC)
@once
@require_http_methods(["GET", "HEAD", "POST"])
def api_tokens(request: ClinicRequest) -> HttpResponse:
    """List tokens and make one, whose key is shown after the redirect and never again."""
    assert request.member is not None
    form = ApiTokenForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            token, key = create_api_token(
                member=request.member, name=form.cleaned_data["name"], expires_at=form.expires_at
            )
        except TokenRefused as refused:
            form.add_error(None, str(refused))
        else:
            request.session[_TO_SHOW] = [token.name, key, timezone.now().timestamp()]
            return redirect("api-tokens")
    tokens = ApiToken.objects.visible_to(request.member).select_related("member__user", "revoked_by")
    context = {
        "form": form,
        "new": _to_show(request),
        "own": [each for each in tokens if each.member_id == request.member.pk],
        "others": [each for each in tokens if each.member_id != request.member.pk],
    }
    response = render(request, "patients/api_tokens.html", context, status=400 if form.errors else 200)
    response["Cache-Control"] = "no-store, private"
    return response


@require_role(*EVERYONE_IN_THE_CLINIC)
@once
@require_POST
def api_token_revoke(request: ClinicRequest, token_id: UUID) -> HttpResponse:
    assert request.member is not None
    assert isinstance(request.user, User)
    token = get_object_or_404(ApiToken.objects.visible_to(request.member), pk=token_id)
    if revoke_api_token(token=token, by=request.user):
        messages.success(request, _("“%(name)s” is revoked and works no longer.") % {"name": token.name})
    else:
        messages.info(request, _("“%(name)s” did not work any more.") % {"name": token.name})
    return redirect("api-tokens")


def _to_show(request: ClinicRequest) -> dict[str, str] | None:
    """Return the name and key of the token that was just made."""
    name, key, made_at = request.session.get(_TO_SHOW, ["", "", 0.0])
    if not key:
        return None
    if not 0 <= timezone.now().timestamp() - made_at <= _SHOWN_FOR_SECONDS:
        del request.session[_TO_SHOW]
        return None
    return {"name": name, "key": key}
