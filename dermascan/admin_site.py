import logging
from collections.abc import Callable
from functools import wraps
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

logger = logging.getLogger(__name__)


class DermaScanAdminSite(AdminSite):
    site_header = site_title = settings.SITE_NAME
    index_title = "Review and administration"
    # The tables need the full width.
    enable_nav_sidebar = False

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register the model with protection against stale edit forms, also for third-party admins."""
        from patients.admin.guarded_edits import guard_edits

        super().register(model_or_iterable, guard_edits(admin_class or ModelAdmin), **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add our own pages and drop ``view_on_site``, which reveals whether an ID exists in any clinic."""
        from diagnosis.record.admin_urls import review_urls
        from diagnosis.retraining.admin_urls import retraining_urls

        own = [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) != "view_on_site"]
        return [*review_urls(self.admin_view), *retraining_urls(self.admin_view), *own]

    def admin_view(self, view: _View, cacheable: bool = False) -> _View:
        """Wrap a view so that invalid lookup values get a 400 and a form sent twice is carried out once.

        Django passes values from the URL and ticked IDs to the database unchecked: the year 0, a month of twenty
        digits, an ID that is not a UUID.
        """
        from dermascan.core.once import once

        sent_once = view if getattr(view, "is_sent_once", False) else once(_retry_on_conflict(view))

        @wraps(sent_once)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            try:
                return sent_once(request, *args, **kwargs)
            except (OverflowError, ValueError, ValidationError, DataError) as error:
                if not _is_lookup(request):
                    raise
                # Most often a value that no column takes; the log says so if it was a fault of ours.
                logger.warning("A lookup in the administration was refused.", exc_info=error)
                raise BadRequest("A value in the request is invalid.") from error

        return super().admin_view(cast(_View, guarded), cacheable)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the site's sign-in page, which has the second factor and the limits on guessing."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied(_("The administration is only for dermatologists and managers."))
        return redirect_to_login(request.GET.get("next") or "/admin/")


def _retry_on_conflict(view: Callable[..., Any]) -> Callable[..., Any]:
    """Validate a form again after a concurrent request took a unique value, so that the form can report it."""
    from patients.services import AccountRefused

    @wraps(view)
    def retried(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        try:
            with transaction.atomic():
                return view(request, *args, **kwargs)
        except (AccountRefused, IntegrityError):
            return view(request, *args, **kwargs)

    return retried


def _is_lookup(request: HttpRequest) -> bool:
    """Return whether this is a lookup or an action on ticked rows. Forms validate input, so errors there are bugs."""
    if request.method == "POST":
        return ACTION_CHECKBOX_NAME in request.POST
    return bool(request.GET)
