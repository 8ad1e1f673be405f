"""The root URLconf."""

from django.contrib import admin
from django.urls import include, path, re_path

from dermascan.health import status
from dermascan.views.account import email_address
from dermascan.views.api_docs import api_docs, api_schema
from diagnosis.api.views import UnknownPathView

handler500 = "dermascan.views.errors.server_error"

urlpatterns = [
    path("", include("dermascan.public_urls")),
    path("", include("patients.urls")),
    path("", include("diagnosis.urls")),
    path("accounts/email/", email_address, name="account_email"),  # replaces allauth's page
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/status/", status, name="api-status"),
    path("api/v1/", include("diagnosis.api.urls")),
    path("api/schema/", api_schema, name="api-schema"),
    path("api/docs/", api_docs, name="api-docs"),
    re_path(r"^api(/|$)", UnknownPathView.as_view(), name="api-unknown"),
]
