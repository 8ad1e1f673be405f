"""Creating, checking and revoking the tokens with which a member's programs use the API."""

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
from dermascan.core.errors import Refused
from patients.models import ApiToken, Member, Revocation, User, hash_of
from patients.models.api_token import PREFIX_LENGTH

LONGEST_DAYS = 366
DEFAULT_DAYS = 90
MOST_TOKENS = 20
# Covers a double click, or a response that was lost and is requested again.
SHOWN_FOR = timedelta(minutes=1)
_KEY = re.compile(r"[0-9a-f]{40}")


class TokenRefused(Refused):
    """The token cannot be created; the message says why."""

    code = "token_refused"


class TokenUnknown(Refused):
    """The token does not exist or cannot be used now."""

    code = "token_unknown"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or _("This token is not known."))


class TokenExpired(TokenUnknown):
    code = "token_expired"

    def __init__(self, token: ApiToken) -> None:
        on = date_format(timezone.localtime(token.expires_at), "j F Y")
        super().__init__(_("This token expired on %(date)s. Create a new one.") % {"date": on})


class TokenRevoked(TokenUnknown):
    code = "token_revoked"

    def __init__(self, token: ApiToken) -> None:
        reason = Revocation(token.revoked_because).label
        super().__init__(_("This token was revoked: %(reason)s. Create a new one.") % {"reason": reason})


def create_api_token(*, member: Member, name: str, expires_at: datetime, form_key: str = "") -> tuple[ApiToken, str]:
    """Create a token and return it with its key, which cannot be looked up later.

    ``form_key`` is the idempotency key of the form; only with it can ``key_made_for`` return the key again. Raises
    ``TokenRefused``.
    """
    now = timezone.now()
    if not now < expires_at <= now + timedelta(days=LONGEST_DAYS):
        raise TokenRefused(_("Choose an expiry between a day and %(days)d days from now.") % {"days": LONGEST_DAYS})
    token_id = uuid.uuid4()
    key = _key(token_id, form_key or secrets.token_hex(20))
    with transaction.atomic():
        member = Member.objects.select_for_update(of=("self",)).select_related("user").get(pk=member.pk)
        if not member.user.is_active:
            raise TokenRefused(_("The account is deactivated."))
        if member.api_tokens.alive().count() >= MOST_TOKENS:
            raise TokenRefused(_("There are already %(count)d tokens. Revoke one first.") % {"count": MOST_TOKENS})
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
    """Return the key of a new token if its own form is submitted again shortly after; otherwise ""."""
    key = _key(token.pk, form_key)
    is_own_form = constant_time_compare(hash_of(key), token.key_hash)
    return key if is_own_form and token.is_alive and is_within(token.created_at, SHOWN_FOR) else ""


def _key(token_id: uuid.UUID, form_key: str) -> str:
    """Return the key, which cannot be derived from the database and the site's secret without the form's key."""
    return salted_hmac("patients.api_token", f"{token_id} {form_key}", algorithm="sha256").hexdigest()[:40]


def revoke_api_token(*, token: ApiToken, by: User) -> bool:
    """Revoke one token and return False if it no longer worked. The caller must have used ``visible_to``."""
    return bool(ApiToken.objects.filter(pk=token.pk).revoke(because=Revocation.BY_HAND, by=by))


def use_api_token(key: str) -> ApiToken:
    """Return the token of ``key`` and record the date. Raises ``TokenUnknown``, ``TokenExpired``, ``TokenRevoked``."""
    # Malformed keys do not reach the database, which may fail to compare them (NUL bytes).
    if not _KEY.fullmatch(key):
        raise TokenUnknown
    token = ApiToken.objects.select_related("member__user", "member__clinic").filter(key_hash=hash_of(key)).first()
    if token is None:
        raise TokenUnknown
    if token.revoked_at is not None:
        raise TokenRevoked(token)
    if token.is_expired:
        raise TokenExpired(token)
    member = token.member
    if not member.user.is_active:
        raise TokenUnknown(_("The account of this token is deactivated."))
    if (member.role, member.clinic_id) != (token.role, token.clinic_id):
        raise TokenUnknown(_("This token was created for another role. Create a new one."))
    today = timezone.localdate()
    if token.last_used_on != today:
        ApiToken.objects.filter(pk=token.pk).update(last_used_on=today)
    return token
