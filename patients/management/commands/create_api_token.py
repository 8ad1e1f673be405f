from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from rest_framework.authtoken.models import Token

from patients.models import User


class Command(BaseCommand):
    help = "Print a member's token for the API; make it first if there is none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--renew", action="store_true", help="Make a new token; the one before stops working.")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            user = _member_user(options["username"])
            if options["renew"]:
                Token.objects.filter(user=user).delete()
            token, _created = Token.objects.get_or_create(user=user)
        self.stdout.write(token.key)


def _member_user(username: str) -> User:
    """Return the user, or say why they may have no token."""
    if "\0" in username:
        raise CommandError("A user name has no NUL characters.")
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user named “{username}”. User names are case-sensitive.")
    if not user.is_active:
        raise CommandError(f"“{username}” is deactivated. Activate the account in the admin first.")
    if hasattr(user, "member"):
        return user
    if hasattr(user, "patient"):
        raise CommandError(f"“{username}” is a patient. The API is for members of a clinic.")
    raise CommandError(f"“{username}” belongs to no clinic. Make them a member in the admin first.")
