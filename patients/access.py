"""Access control for views, by role. Which rows a view shows is decided by ``visible_to`` and ``released_to``."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from patients.middleware import ClinicRequest
from patients.models import Patient, Role

View = Callable[..., HttpResponse]

EVERYONE_IN_THE_CLINIC = (Role.STAFF, Role.DERMATOLOGIST, Role.MANAGER)


def require_role(*roles: Role, operator: bool = False) -> Callable[[View], View]:
    """Return a decorator that admits members with one of ``roles``; visitors must sign in, other users get 403.

    Args:
        operator: admit operators (superusers) too, with or without a clinic.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: ClinicRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if operator and is_operator(request):
                return view(request, *args, **kwargs)
            if request.member is None:
                raise PermissionDenied(_("This page is for members of a clinic."))
            if request.member.role not in roles:
                raise PermissionDenied(_("This page is for: %s.") % ", ".join(str(role.label) for role in roles))
            return view(request, *args, **kwargs)

        return login_required(guarded)

    return decorate


def is_operator(request: HttpRequest) -> bool:
    """Return whether the user is an operator: a superuser, with or without a clinic."""
    return bool(getattr(request.user, "is_superuser", False))


def require_patient(view: View) -> View:
    """Admit only users who are linked to a patient record."""

    @wraps(view)
    def guarded(request: ClinicRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not Patient.objects.filter(user=request.user).exists():  # type: ignore[misc]
            raise PermissionDenied(_("This page is for patients who were given an account by their clinic."))
        return view(request, *args, **kwargs)

    return login_required(guarded)
