from typing import Any

from django.core.management.base import CommandError

from diagnosis.record.demo import DEMO_PASSWORD, USER_NAMES
from diagnosis.record.demo.demo_clinic import DemoRefused, create_demo_clinic
from patients.audit.commands import AuditedCommand


class Command(AuditedCommand):
    help = (
        "Create the demo clinic: four accounts with a published password, six invented patients. Never in production."
    )

    def handle(self, **options: Any) -> None:
        try:
            clinic, is_new = create_demo_clinic()
        except DemoRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        if not options["verbosity"]:
            return
        if is_new:
            self.stdout.write(f"Created the demo clinic “{clinic.name}” with six invented patients.")
            self.stdout.write(f"Sign in as {', '.join(USER_NAMES)}; the password of every account is {DEMO_PASSWORD}")
        else:
            self.stdout.write(f"The demo clinic “{clinic.name}” already exists; nothing was changed.")
