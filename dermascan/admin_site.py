from collections.abc import Callable
from functools import wraps
from traceback import walk_tb
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import DataError, IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver
from django.utils.translation import gettext as _

_View = TypeVar("_View", bound=Callable[..., Any])
_OUR_PACKAGES = {"dermascan", "diagnosis", "mlmodel", "patients"}


class DermaScanAdminSite(AdminSite):
    site_header = site_title = settings.SITE_NAME
    index_title = "Review and administration"
    # The tables need the width more than a second list of them does.
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register with the guard against stale forms, whoever wrote the model's admin."""
        from patients.admin.guarded_edits import guard_edits

        super().register(model_or_iterable, guard_edits(admin_class or ModelAdmin), **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """With our own pages; without ``view_on_site``, which tells whether an identifier exists anywhere."""
        from diagnosis.record.admin_urls import review_urls
        from diagnosis.retraining.admin_urls import retraining_urls

        own = [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) != "view_on_site"]
        return [*review_urls(self.admin_view), *retraining_urls(self.admin_view), *own]

    def admin_view(self, view: _View, cacheable: bool = False) -> _View:
        """Answer 400 to a value in the address, or an id ticked for an action, that cannot be what it stands for.

        Django hands these to the database without checking that they fit: the year 0, a month of twenty digits, an
        id that is no UUID. A form that is sent twice is carried out once.
        """
        from dermascan.core.once import once

        sent = view if getattr(view, "is_sent_once", False) else once(_say_what_is_taken(view))

        @wraps(sent)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                return sent(request, *args, **kwargs)
            except (OverflowError, ValueError, ValidationError, DataError) as error:
                if not (_asks_for_rows(request) and _comes_from_a_library(error)):
                    raise
                raise BadRequest("A value in the request cannot be looked up.") from error

        return super().admin_view(cast(_View, guarded), cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one way to sign in, with the second factor and the limits on guessing; not Django's own form."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied(_("The administration is for dermatologists and managers."))
        return redirect_to_login(request.GET.get("next") or "/admin/")


def _say_what_is_taken(view: Callable[..., Any]) -> Callable[..., Any]:
    """Look at a form once more if somebody has just taken a value that must be unique: now the form can say so."""
    from patients.services import AccountRefused

    @wraps(view)
    def tried(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        try:
            with transaction.atomic():
                return view(request, *args, **kwargs)
        except (AccountRefused, IntegrityError):
            return view(request, *args, **kwargs)

    return tried


def _asks_for_rows(request: HttpRequest) -> bool:
    """Is this a lookup, or an action on ticked rows? Forms check what is typed: a failure there is a fault of ours."""
    if request.method == "POST":
        return ACTION_CHECKBOX_NAME in request.POST
    return bool(request.GET)


def _comes_from_a_library(error: Exception) -> bool:
    """Did Django or the database's driver refuse the value? What code of ours raises stays a 500, and is noticed."""
    frames = [frame for frame, _line in walk_tb(error.__traceback__)]
    return frames[-1].f_globals.get("__name__", "").partition(".")[0] not in _OUR_PACKAGES
