"""Tokens with which a member's programs use the API: made, checked, revoked."""

import re
import secrets
import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dermascan.core.clock import is_within
from patients.models import ApiToken, Member, Revocation, User, hash_of
from patients.models.api_token import PREFIX_LENGTH

LONGEST_DAYS = 366
DEFAULT_DAYS = 90
MOST_TOKENS = 20
# A double click, or a page that was lost on its way and is asked for again.
SHOWN_FOR = timedelta(minutes=1)
_KEY = re.compile(r"[0-9a-f]{40}")


class TokenRefused(ValueError):
    """No token is made as asked; the message says why."""


class TokenUnknown(ValueError):
    """There is no such token, or none that may be used now."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or _("This token is not known."))


class TokenExpired(TokenUnknown):
    def __init__(self, token: ApiToken) -> None:
        on = date_format(timezone.localtime(token.expires_at), "j F Y")
        super().__init__(_("This token expired on %(date)s. Create a new one.") % {"date": on})


class TokenRevoked(TokenUnknown):
    def __init__(self, token: ApiToken) -> None:
        reason = Revocation(token.revoked_because).label
        super().__init__(_("This token was revoked: %(reason)s. Create a new one.") % {"reason": reason})


def create_api_token(*, member: Member, name: str, expires_at: datetime, form_key: str = "") -> tuple[ApiToken, str]:
    """Make a token and return it with its key, which nobody can look up later.

    ``form_key`` is the idempotency key of the form that asks for it: with that, and not without, ``key_made_for``
    returns the key once more. Raises ``TokenRefused``.
    """
    now = timezone.now()
    if not now < expires_at <= now + timedelta(days=LONGEST_DAYS):
        raise TokenRefused(_("A token lasts at least a day and at most %(days)d days.") % {"days": LONGEST_DAYS})
    token_id = uuid.uuid4()
    key = _key(token_id, form_key or secrets.token_hex(20))
    with transaction.atomic():
        member = Member.objects.select_for_update(of=("self",)).select_related("user").get(pk=member.pk)
        if not member.user.is_active:
            raise TokenRefused(_("The account is deactivated."))
        if member.api_tokens.alive().count() >= MOST_TOKENS:
            raise TokenRefused(_("There are %(count)d tokens already. Revoke one first.") % {"count": MOST_TOKENS})
        token = ApiToken.objects.create(
            id=token_id,
            member=member,
            clinic_id=member.clinic_id,
            role=member.role,
            name=" ".join(name.split())[:80],
            prefix=key[:PREFIX_LENGTH],
            key_hash=hash_of(key),
            created_at=now,
            expires_at=expires_at,
        )
    return token, key


def key_made_for(*, form_key: str, token: ApiToken) -> str:
    """Return the key of a new token to the form that made it, sent twice; "" to any other, and some time later."""
    key = _key(token.pk, form_key)
    is_its_own = constant_time_compare(hash_of(key), token.key_hash)
    return key if is_its_own and token.is_alive and is_within(token.created_at, SHOWN_FOR) else ""


def _key(token_id: uuid.UUID, form_key: str) -> str:
    """Neither the database nor who knows this site's secret can tell it without what the browser sent."""
    return salted_hmac("patients.api_token", f"{token_id} {form_key}", algorithm="sha256").hexdigest()[:40]


def revoke_api_token(*, token: ApiToken, by: User) -> bool:
    """Revoke one token; returns False if it was revoked before. The caller has found it with ``visible_to``."""
    return bool(ApiToken.objects.filter(pk=token.pk).revoke(because=Revocation.BY_HAND, by=by))


def use_api_token(key: str) -> ApiToken:
    """Return the token of ``key`` and note the day. Raises ``TokenUnknown``, ``TokenExpired``, ``TokenRevoked``."""
    # What cannot be a token does not reach the database, which may refuse to compare it (NUL bytes).
    if not _KEY.fullmatch(key):
        raise TokenUnknown
    found = ApiToken.objects.select_related("member__user", "member__clinic").filter(key_hash=hash_of(key)).first()
    if found is None:
        raise TokenUnknown
    if found.revoked_at is not None:
        raise TokenRevoked(found)
    if found.is_expired:
        raise TokenExpired(found)
    member = found.member
    if not member.user.is_active:
        raise TokenUnknown(_("The account of this token is deactivated."))
    if (member.role, member.clinic_id) != (found.role, found.clinic_id):
        raise TokenUnknown(_("This token was made for another role. Create a new one."))
    today = timezone.localdate()
    if found.last_used_on != today:
        ApiToken.objects.filter(pk=found.pk).update(last_used_on=today)
    return found
