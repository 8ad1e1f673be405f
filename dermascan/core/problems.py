"""The API's errors as problem details (RFC 9457), ``application/problem+json``."""

from typing import Any

from django.utils.translation import gettext_lazy

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:problem-type:dermascan:"

# Status and title by code. Programs compare the code, which is also the last part of the type.
KINDS: dict[str, tuple[int, Any]] = {
    "malformed": (400, gettext_lazy("The request could not be read")),
    "invalid": (400, gettext_lazy("Some fields need correcting")),
    "empty-file": (400, gettext_lazy("The file is empty")),
    "not-authenticated": (401, gettext_lazy("Sign in or send a token")),
    "authentication-failed": (401, gettext_lazy("The token is not valid")),
    "token-expired": (401, gettext_lazy("The token has expired")),
    "permission-denied": (403, gettext_lazy("This is not allowed")),
    "form-out-of-date": (403, gettext_lazy("This form is out of date")),
    "not-found": (404, gettext_lazy("Not found")),
    "method-not-allowed": (405, gettext_lazy("This method is not allowed here")),
    "not-acceptable": (406, gettext_lazy("Only JSON is available")),
    "already-uploaded": (409, gettext_lazy("This photograph was already uploaded")),
    "visit-is-closed": (409, gettext_lazy("The visit was signed")),
    "refused": (409, gettext_lazy("This cannot be done in the current state")),
    "key-reused": (422, gettext_lazy("This key was used for another request")),
    "length-required": (411, gettext_lazy("Content-Length is required")),
    "too-large": (413, gettext_lazy("Too large")),
    "too-many-files": (413, gettext_lazy("Too many files")),
    "too-many-pixels": (413, gettext_lazy("The photograph has too many pixels")),
    "not-an-image": (415, gettext_lazy("The file is not a photograph")),
    "unsupported-image": (415, gettext_lazy("This image format is not supported")),
    "unsupported-media-type": (415, gettext_lazy("This media type is not supported")),
    "broken-image": (422, gettext_lazy("The photograph is damaged")),
    "slow-image": (422, gettext_lazy("The photograph takes too long to open")),
    "cannot-be-judged": (422, gettext_lazy("The photograph cannot be analysed")),
    "throttled": (429, gettext_lazy("Too many requests")),
    "server-error": (500, gettext_lazy("Something went wrong on our side")),
    "unavailable": (503, gettext_lazy("The site is unavailable")),
    "engine-unavailable": (503, gettext_lazy("The network is unavailable")),
    "storage-unavailable": (503, gettext_lazy("Files cannot be saved now")),
    "storage-full": (507, gettext_lazy("Storage is full")),
}
