"""Account pages in addition to allauth's."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@login_required
@require_safe
def email_address(request: HttpRequest) -> HttpResponse:
    """Show the account's e-mail address, which only the clinic can change.

    The address identifies the user at sign-in and receives password resets, and allauth's page would accept any
    address.
    """
    return render(request, "account/email.html")
