"""The home page, and the start page after signing in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from dermascan.forms import QuickCheckForm
from dermascan.samples import samples
from patients.middleware import ClinicRequest
from patients.models import Patient


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "dermascan/home.html", {"form": QuickCheckForm(), "samples": samples().values()})


@require_safe
def start(request: ClinicRequest) -> HttpResponse:
    """Redirect to the user's first page: Today for members, own visits for patients."""
    if request.member is not None:
        return redirect("today")
    if request.user.is_authenticated and Patient.objects.filter(user=request.user).exists():
        return redirect("my-visits")
    return redirect("home")
