from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from patients.audit.commands import AuditedCommand
from patients.models import Member, Revocation, User
from patients.services import TokenRefused, create_api_token
from patients.services.api_tokens import DEFAULT_DAYS, LONGEST_DAYS


class Command(AuditedCommand):
    help = "Create an API token and print it. It is shown only once, because only its hash is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="Command line", help="what it is for, as shown to owner and managers")
        parser.add_argument(
            "--expires",
            default=str(DEFAULT_DAYS),
            metavar="DAYS|DATE",
            help=f"a number of days, at most {LONGEST_DAYS}, or a date such as 2027-01-31 (default: %(default)s days)",
        )
        parser.add_argument("--renew", action="store_true", help="Revoke the member's other tokens.")

    def handle(self, *args: Any, **options: Any) -> None:
        expires_at = _end_of(options["expires"])
        if not options["name"].strip() or "\0" in options["name"]:
            raise CommandError("--name must say in a few words what the token is for.")
        with transaction.atomic():
            member = _member(options["username"])
            if options["renew"]:
                member.api_tokens.all().revoke(because=Revocation.REPLACED)
            try:
                token, key = create_api_token(member=member, name=options["name"], expires_at=expires_at)
            except TokenRefused as refused:
                raise CommandError(str(refused)) from None
        self.stdout.write(key)
        self.stderr.write(f"It works until {timezone.localtime(token.expires_at):%d %B %Y, %H:%M %Z}.")


def _end_of(text: str) -> datetime:
    """Return the expiry for a number of days from now, or for the end of the given date."""
    try:
        if text.isdecimal():
            return timezone.now() + timedelta(days=int(text))
        return timezone.make_aware(datetime.combine(date.fromisoformat(text) + timedelta(days=1), time.min))
    except (ValueError, OverflowError):
        raise CommandError(f"--expires must be a number of days or a date such as 2027-01-31, not “{text}”.") from None


def _member(username: str) -> Member:
    """Return the member with this user name. Raises ``CommandError`` if they cannot have a token."""
    if "\0" in username:
        raise CommandError("A user name cannot contain NUL characters.")
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user named “{username}”. User names are case-sensitive.")
    if not user.is_active:
        raise CommandError(f"“{username}” is deactivated. Activate the account in the admin first.")
    if hasattr(user, "member"):
        return user.member
    if hasattr(user, "patient"):
        raise CommandError(f"“{username}” is a patient. The API is for members of a clinic.")
    raise CommandError(f"“{username}” belongs to no clinic. Make them a member in the admin first.")
