from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from diagnosis.retraining.errors import RetrainingRefused
from diagnosis.retraining.models import Part, RunStatus, TrainingRun
from diagnosis.retraining.run_states import abandon_run, claim_run, requeue_run
from diagnosis.retraining.services import execute_run, preview, start_run, told
from patients.models import Clinic


class Command(BaseCommand):
    help = (
        "Train a candidate on the photographs whose label is settled and whose patients agree, judge it against the "
        "active version, and stop there: a person decides. One run at a time; the site serves on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=_day, help="only labels settled since, YYYY-MM-DD")
        parser.add_argument("--clinic", help="the name of one clinic; every clinic's without it")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="say what would be learnt from, and write nothing")
        what.add_argument("--resume", action="store_true", help="go on with the run that stopped without a word")
        what.add_argument("--abandon", action="store_true", help="give up the run that is at work or has stopped")

    def handle(self, **options: Any) -> None:
        given = [f"--{name}" for name in ("since", "clinic") if options[name] is not None]
        if (options["resume"] or options["abandon"]) and given:
            raise CommandError(f"A run keeps what it was started with: leave out {' and '.join(given)}.", returncode=2)
        try:
            self._do(**options)
        except RetrainingRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _do(self, **options: Any) -> None:
        if options["abandon"]:
            self.stdout.write(f"{abandon_run(why='Abandoned from the command line.')}: abandoned.")
            return
        if options["resume"]:
            self._work_on(requeue_run())
            return
        wanted = {"clinic": _clinic(options["clinic"]), "since": options["since"]}
        if options["dry_run"]:
            collection = preview(**wanted)
            self.stdout.write("\n".join(told(collection)))
            if not collection.count(Part.TRAIN):
                self.stdout.write("There is nothing to learn from.")
            return
        self._work_on(start_run(**wanted))

    def _work_on(self, run: TrainingRun) -> None:
        taken = claim_run(run.pk)
        if taken is not None:
            execute_run(taken)
        run.refresh_from_db()
        for message in run.messages.all():
            self.stdout.write(message.words)
        if run.status == RunStatus.FAILED:
            raise CommandError(run.error)
        if run.status != RunStatus.DONE:
            raise CommandError(f"The run did not end here: {run.get_status_display().lower()}.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is not a day; write it as in 2026-03-31") from error


def _clinic(name: str | None) -> Clinic | None:
    if name is None:
        return None
    clinic = Clinic.objects.filter(name=name).first()
    if clinic is None:
        raise CommandError(f"There is no clinic called “{name}”.")
    return clinic
