from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from diagnosis.record.search.summaries import calculate_everything_stale, differing, mark_everything
from patients.audit.commands import AuditedCommand


class Command(AuditedCommand):
    help = (
        "Calculate what the lists of lesions and visits filter by: for what has changed, or with --every for all. "
        "With --check, compare it with the record instead and fail if it differs. Safe while the site is running."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", action="store_true", help="calculate every summary again")
        parser.add_argument("--check", action="store_true", help="compare every summary with the record")

    def handle(self, **options: Any) -> None:
        if options["every"]:
            mark_everything()
        changes = calculate_everything_stale()
        if options["verbosity"]:
            self.stdout.write(f"Changes worked off: {changes}.")
        if options["check"] and (count := differing()):
            raise CommandError(
                f"{count} summaries are not what the record says. Run it with --every, and report this as a fault."
            )
