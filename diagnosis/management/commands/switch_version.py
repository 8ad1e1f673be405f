from typing import Any

from django.core.management.base import CommandError, CommandParser

from dermascan.core.errors import Refused
from diagnosis.retraining.decisions import SecondPersonNeeded, decide
from diagnosis.retraining.proposals import propose
from mlmodel.versions.models import ModelVersion
from patients.audit.commands import AuditedCommand
from patients.models import User


class Command(AuditedCommand):
    help = (
        "Make another version of the network the active one: promote a candidate, or go back to an earlier version. "
        "For "
        "operators. A version that the gate holds back is only proposed; a second person approves it on its page."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("version", help="the version's name, as the list of versions shows it")
        parser.add_argument("--by", required=True, metavar="USERNAME", help="the operator who decides: a superuser")
        parser.add_argument("--reason", required=True, help="the reason in one sentence; stored with the decision")

    def handle(self, *args: Any, **options: Any) -> None:
        operator = _operator(options["by"])
        version = _version(options["version"])
        try:
            try:
                decide(version=version, by=operator, reason=options["reason"])
            except SecondPersonNeeded:
                propose(version=version, by=operator, reason=options["reason"])
                self.stdout.write(
                    f"{version} is proposed: the gate holds it back, so a second person has to approve it."
                )
            else:
                self.stdout.write(f"{version} is now the active network.")
        except Refused as refused:
            raise CommandError(refused.message) from None


def _operator(username: str) -> User:
    user = User.objects.filter(username=username, is_active=True).first() if "\0" not in username else None
    if user is None:
        raise CommandError(f"There is no active user named “{username}”.")
    if not user.is_superuser:
        raise CommandError(f"“{username}” is not an operator: use the name of a superuser.")
    return user


def _version(name: str) -> ModelVersion:
    version = ModelVersion.objects.filter(name=name).first() if "\0" not in name else None
    if version is None:
        names = ", ".join(ModelVersion.objects.values_list("name", flat=True)[:20])
        raise CommandError(f"There is no version named “{name}”. Available: {names}.")
    return version
