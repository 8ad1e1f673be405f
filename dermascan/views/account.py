"""What people see of their own account beyond what allauth offers."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@login_required
@require_safe
def email_address(request: HttpRequest) -> HttpResponse:
    """Show the address; only the clinic changes it.

    It opens the account by password reset, and names its owner at sign-in. allauth's own page would let anyone enter
    anyone's.
    """
    return render(request, "account/email.html")
