"""Which requests a script makes. They are answered with a problem document, never with a page or by signing in."""

from django.http import HttpRequest

HTML, JSON, PROBLEM = "text/html", "application/json", "application/problem+json"


def is_script_request(request: HttpRequest) -> bool:
    """Does a script read the answer, and not a person who follows a link or sends a form?"""
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
