import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import transaction

from dermascan.core.site import origin_of
from patients.audit.commands import AuditedCommand
from patients.models import Clinic, Member, User
from patients.services import AccountRefused, ClinicExists, create_clinic, set_password_path


class Command(AuditedCommand):
    help = "Create a clinic with its first manager, who adds the other members in the admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the clinic's name, as shown to patients")
        parser.add_argument("--manager", required=True, metavar="USERNAME", help="user name of the first manager")
        parser.add_argument("--email", default="", help="the manager's e-mail address, for password resets")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the manager's password from standard input; otherwise a link to choose one is printed",
        )
        parser.add_argument(
            "--site",
            default=settings.SITE_URL,
            metavar="URL",
            help="the installation's address, for the link (default: DERMASCAN_SITE_URL, %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, username, email = options["name"].strip(), options["manager"].strip(), options["email"].strip()
        _check(name=name, username=username, email=email)
        site = _origin(options["site"])
        try:
            # A refused password must not leave a clinic whose manager cannot sign in.
            with transaction.atomic():
                manager = create_clinic(name=name, manager_username=username, email=email)
                if options["password_stdin"]:
                    _set_password(manager.user, sys.stdin.readline().rstrip("\r\n"))
        except (ClinicExists, AccountRefused) as refused:
            raise CommandError(str(refused)) from None
        self._report(manager, link="" if options["password_stdin"] else site)

    def _report(self, manager: Member, *, link: str) -> None:
        self.stdout.write(f"Created {manager.clinic.name}. Its manager is {manager.user.username}.")
        if link:
            self.stdout.write("The manager chooses a password here (the link works once):")
            self.stdout.write(link + set_password_path(manager.user))


def _check(*, name: str, username: str, email: str) -> None:
    """Validate the values with the models before anything is created."""
    try:
        Clinic(name=name).clean_fields()
        User(username=username, email=email).clean_fields(exclude=["password"])
    except ValidationError as error:
        messages = [f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items()]
        raise CommandError("\n".join(messages)) from None


def _origin(address: str) -> str:
    try:
        return origin_of(address)
    except ValueError:
        raise CommandError(f"--site must be an address such as https://clinic.example, not “{address}”.") from None


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError("The password is refused. " + " ".join(error.messages)) from None
    user.set_password(password)
    user.save(update_fields=["password"])
