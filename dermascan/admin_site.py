from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _


class DermaScanAdminSite(AdminSite):
    site_header = "DermaScan"
    site_title = "DermaScan"
    index_title = "Review and administration"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is one way to sign in, with the second factor and the limits on guessing; not Django's own form."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied(_("The administration is for dermatologists and managers."))
        return redirect_to_login(request.GET.get("next") or "/admin/")
