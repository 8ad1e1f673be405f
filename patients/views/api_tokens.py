"""A member's own tokens for the API; a manager sees and revokes the clinic's too."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.forms import ApiTokenForm
from patients.middleware import ClinicRequest
from patients.models import ApiToken, User
from patients.services import TokenRefused, create_api_token, revoke_api_token


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
def api_tokens(request: ClinicRequest) -> HttpResponse:
    """List tokens and make one. Its key is in this one answer, and nowhere else."""
    assert request.member is not None
    form = ApiTokenForm(request.POST if request.method == "POST" else None)
    token, key = None, ""
    if request.method == "POST" and form.is_valid():
        try:
            token, key = create_api_token(
                member=request.member, name=form.cleaned_data["name"], expires_at=form.expires_at
            )
            form = ApiTokenForm()
        except TokenRefused as refused:
            form.add_error(None, str(refused))
    tokens = ApiToken.objects.visible_to(request.member).select_related("member__user", "revoked_by")
    context = {
        "form": form,
        "new_token": token,
        "new_key": key,
        "own": [each for each in tokens if each.member_id == request.member.pk],
        "others": [each for each in tokens if each.member_id != request.member.pk],
    }
    response = render(request, "patients/api_tokens.html", context, status=400 if form.errors else 200)
    response["Cache-Control"] = "no-store, private"
    return response


@require_role(*EVERYONE_IN_THE_CLINIC)
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
