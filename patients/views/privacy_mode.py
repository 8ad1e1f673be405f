from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest
from patients.privacy import SESSION_KEY


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
def privacy_mode(request: MemberRequest) -> HttpResponse:
    """Switch privacy mode on or off for the member's session, and return to the page with the switch."""
    request.session[SESSION_KEY] = request.POST.get("on") == "1"
    page = request.POST.get("next") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        page = "start"
    return redirect(page)
