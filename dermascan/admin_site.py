from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver
from django.utils.translation import gettext as _


class DermaScanAdminSite(AdminSite):
    site_header = "DermaScan"
    site_title = "DermaScan"
    index_title = "Review and administration"
    # The tables need the width more than a second list of them does.
    enable_nav_sidebar = False

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without ``view_on_site``, which tells anyone in the admin whether an identifier exists in some clinic."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) != "view_on_site"]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one way to sign in, with the second factor and the limits on guessing; not Django's own form."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied(_("The administration is for dermatologists and managers."))
        return redirect_to_login(request.GET.get("next") or "/admin/")
