"""The link by which a doctor outside the clinic opens a request. It is not stored: the signature proves it."""

from django.core.signing import Signer
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from dermascan.core.site import site_link
from diagnosis.opinions.models import OpinionRequest

_SALT = "second-opinion"


def link_of(request: OpinionRequest) -> str:
    """Return the whole address."""
    return site_link(reverse("shared-opinion", args=[request.pk, signature_of(request)]))


def signature_of(request: OpinionRequest) -> str:
    return Signer(salt=_SALT).signature(str(request.pk))


def is_signed(request: OpinionRequest, signature: str) -> bool:
    return constant_time_compare(signature_of(request), signature)
