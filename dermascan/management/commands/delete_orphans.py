"""``manage.py delete_orphans``: delete files that no row refers to."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from dermascan.orphans import TooManyOrphans, delete_orphans
from patients.audit.commands import AuditedCommand


class Command(AuditedCommand):
    help = (
        "Delete stored files that no database row refers to, and files that killed processes left in the queue and in "
        "the temporary folder, if they are older than a day. A scheduled task does this every six hours."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only-look", action="store_true", help="list what would be deleted, and delete nothing")
        parser.add_argument(
            "--even-many",
            action="store_true",
            help="delete even if there are more orphans than killed processes usually leave",
        )

    def handle(self, *args: Any, only_look: bool, even_many: bool, **options: Any) -> None:
        try:
            swept = delete_orphans(only_look=only_look, even_many=even_many)
        except TooManyOrphans as error:
            raise CommandError(f"{error} If it is, use --even-many.") from error
        for name in (*swept.stored, *swept.queue, *swept.temporary):
            self.stdout.write(name)
        self.stdout.write(f"{'Would delete' if only_look else 'Deleted'} {swept}.")
