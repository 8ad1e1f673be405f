"""URLs of the public pages, and of the start page after signing in."""

from django.urls import URLPattern, path

from dermascan.views.about import about
from dermascan.views.contact import contact, contact_thanks
from dermascan.views.favicon import favicon
from dermascan.views.home import home, start
from dermascan.views.quick_check import quick_check
from dermascan.views.signed_in import session

urlpatterns: list[URLPattern] = [
    path("", home, name="home"),
    path("start/", start, name="start"),
    path("about/", about, name="about"),
    path("contact/", contact, name="contact"),
    path("contact/thank-you/", contact_thanks, name="contact-thanks"),
    path("quick-check/", quick_check, name="quick-check"),
    path("session/", session, name="session"),
    path("favicon.ico", favicon, name="favicon"),
]
