"""Privacy mode: who a patient is, hidden on a screen that others see.

A member switches it on for their session. Pages then show initials and a short code instead of names, birth dates and
record numbers: what is hidden is not in the page at all. Records, reports and e-mails are never written that way; only
what is shown goes through this module.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from patients.models import Patient

View = Callable[..., HttpResponse]

SESSION_KEY = "privacy-mode"
CODE_LENGTH = 6
_is_on: ContextVar[bool] = ContextVar("privacy_mode", default=False)


def is_on() -> bool:
    """Return whether the request that is being answered hides who patients are."""
    return _is_on.get()


@contextmanager
def switched(on: bool) -> Iterator[None]:
    """Hide who patients are, or not, in what is shown within the block."""
    token = _is_on.set(on)
    try:
        yield
    finally:
        _is_on.reset(token)


def code_of(patient: "Patient") -> str:
    """Return a short code by which colleagues can tell patients apart. It says nothing about the patient."""
    return patient.pk.hex[-CODE_LENGTH:].upper()


def shown_name(patient: "Patient") -> str:
    """Return the patient's name, or their initials and code in privacy mode."""
    return f"{_initials(patient)} {code_of(patient)}" if is_on() else patient.name


def shown_number(patient: "Patient") -> str:
    """Return the record number; in privacy mode, that it is hidden."""
    return _("number hidden") if is_on() else patient.record_number


def shown_birth_date(patient: "Patient") -> str:
    """Return the birth date; in privacy mode, that it is hidden. The age stays, since it bears on the findings."""
    return _("date hidden") if is_on() else date_format(patient.birth_date, "j M Y")


def shown_contact(text: str) -> str:
    """Return an address, number or user name, which often contain a name; hidden in privacy mode."""
    return _("hidden") if text and is_on() else text


def names_the_patient(view: View) -> View:
    """Decorate a view that cannot do without the patient's name: in privacy mode it asks to switch that off first."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return page_instead(request) if is_on() else view(request, *args, **kwargs)

    return guarded


def page_instead(request: HttpRequest) -> HttpResponse:
    """Return the page that asks to switch privacy mode off, and then leads back to the requested one."""
    return render(request, "patients/privacy_is_on.html", {"next": request.get_full_path()}, status=409)


def _initials(patient: "Patient") -> str:
    return "".join(f"{part[0]}." for part in (patient.given_name, patient.family_name) if part)
