"""Detect requests made by scripts, which get a problem document and never a page or a sign-in redirect."""

from django.http import HttpRequest

HTML, JSON, PROBLEM = "text/html", "application/json", "application/problem+json"


def is_script_request(request: HttpRequest) -> bool:
    """Return whether a script reads the response, not a person who follows a link or submits a form."""
    headers = request.headers
    if headers.get("Sec-Fetch-Mode") == "navigate":
        return False
    if "HX-Request" in headers or headers.get("X-Requested-With") == "XMLHttpRequest":
        return True
    if headers.get("Sec-Fetch-Dest") == "empty":
        return True
    return wants_json(request)


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type([HTML, JSON, PROBLEM]) in (JSON, PROBLEM)
