"""The API schema and its documentation page, both public."""

from csp.constants import NONCE
from csp.decorators import csp_update
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class _OnePage(DefaultContentNegotiation):
    """Ignores the Accept header: there is only one representation."""

    def get_accept_list(self, request: Request) -> list[str]:
        return ["*/*"]


_page = SpectacularSwaggerView.as_view(url_name="api-schema", content_negotiation_class=_OnePage)
# Refuse other methods before Django REST framework, which would render the refusal with the page's template.
api_docs = never_cache(require_safe(csp_update({"script-src": NONCE, "style-src": NONCE})(_page)))
api_schema = never_cache(SpectacularAPIView.as_view())
