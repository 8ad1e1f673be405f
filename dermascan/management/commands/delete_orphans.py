"""``manage.py delete_orphans``: files that nobody points at."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dermascan.orphans import TooManyOrphans, delete_orphans


class Command(BaseCommand):
    help = (
        "Delete stored files that are in no row of the database, and what killed processes left in the queue and in "
        "the folder for temporary files; all of it only if older than a day. The schedule does so every six hours."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only-look", action="store_true", help="say what would be deleted, and delete nothing")
        parser.add_argument(
            "--even-many", action="store_true", help="delete also where it is more than killed processes leave"
        )

    def handle(self, *args: Any, only_look: bool, even_many: bool, **options: Any) -> None:
        try:
            swept = delete_orphans(only_look=only_look, even_many=even_many)
        except TooManyOrphans as error:
            raise CommandError(f"{error} If it is, say --even-many.") from error
        for name in (*swept.stored, *swept.queue, *swept.temporary):
            self.stdout.write(name)
        self.stdout.write(f"{'Would delete' if only_look else 'Deleted'} {swept}.")
