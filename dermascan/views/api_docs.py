"""The API's description, for programs and as a page; nobody needs to sign in to read it."""

from csp.constants import NONCE
from csp.decorators import csp_update
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class _OnePage(DefaultContentNegotiation):
    """Whatever is asked for: there is the page, and errors have no other form here."""

    def get_accept_list(self, request: Request) -> list[str]:
        return ["*/*"]


_page = SpectacularSwaggerView.as_view(url_name="api-schema", content_negotiation_class=_OnePage)
# Other methods are refused before Django REST framework, whose refusals are rendered with the page's template.
api_docs = never_cache(require_safe(csp_update({"script-src": NONCE, "style-src": NONCE})(_page)))
api_schema = never_cache(SpectacularAPIView.as_view())
