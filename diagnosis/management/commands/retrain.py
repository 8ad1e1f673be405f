from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from diagnosis.retraining.errors import RetrainingRefused
from diagnosis.retraining.models import Part, RunStatus, TrainingRun
from diagnosis.retraining.run_states import abandon_run, claim_run, requeue_run
from diagnosis.retraining.services import execute_run, preview, start_run, summary_lines
from patients.audit.commands import AuditedCommand
from patients.models import Clinic


class Command(AuditedCommand):
    help = (
        "Train a candidate on photographs with a settled label and consent, and compare it with the active version. A "
        "person decides whether to promote it. One run at a time; the site stays available."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", type=_day, help="only labels settled on or after this day, YYYY-MM-DD")
        parser.add_argument("--clinic", help="the name of one clinic; default: every clinic")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--dry-run", action="store_true", help="show the photographs that would be used, and write nothing"
        )
        what.add_argument("--resume", action="store_true", help="resume the run that stopped responding")
        what.add_argument(
            "--abandon", action="store_true", help="abandon the run that is in progress or stopped responding"
        )

    def handle(self, **options: Any) -> None:
        given = [f"--{name}" for name in ("since", "clinic") if options[name] is not None]
        if (options["resume"] or options["abandon"]) and given:
            raise CommandError(
                f"A run keeps the options that it was started with: leave out {' and '.join(given)}.", returncode=2
            )
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
        scope = {"clinic": _clinic(options["clinic"]), "since": options["since"]}
        if options["dry_run"]:
            collection = preview(**scope)
            self.stdout.write("\n".join(summary_lines(collection)))
            if not collection.count(Part.TRAIN):
                self.stdout.write("There is nothing to train on.")
            return
        self._work_on(start_run(**scope))

    def _work_on(self, run: TrainingRun) -> None:
        claimed = claim_run(run.pk)
        if claimed is not None:
            execute_run(claimed)
        run.refresh_from_db()
        for message in run.messages.all():
            self.stdout.write(message.words)
        if run.status == RunStatus.FAILED:
            raise CommandError(run.error)
        if run.status != RunStatus.DONE:
            raise CommandError(f"The run did not finish in this process: {run.get_status_display().lower()}.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is not a date; use the format 2026-03-31") from error


def _clinic(name: str | None) -> Clinic | None:
    if name is None:
        return None
    clinic = Clinic.objects.filter(name=name).first()
    if clinic is None:
        raise CommandError(f"There is no clinic called “{name}”.")
    return clinic
