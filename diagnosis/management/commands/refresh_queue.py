from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from diagnosis.reports.models import Report
from diagnosis.reports.validity import unreported_changes_among
from diagnosis.reviews.labels import recalculate_labels
from diagnosis.reviews.queue import refresh_clinic
from patients.audit.commands import AuditedCommand
from patients.models import Clinic


class Command(AuditedCommand):
    help = (
        "Recalculate the review queue, and the labels that were settled by another review rule. Run it after the rule "
        "or the random share has changed, and with --every-label after an upgrade that changes how reviews settle a "
        "label. Safe to run again, and while the site is running."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clinic", help="the name of one clinic; default: every clinic")
        parser.add_argument("--missing", action="store_true", help="only photographs without a queue entry")
        parser.add_argument(
            "--every-label", action="store_true", help="recalculate every label, and count the changes"
        )

    def handle(self, **options: Any) -> None:
        clinics = Clinic.objects.all()
        if options["clinic"] is not None:
            clinics = clinics.filter(name=options["clinic"])
            if not clinics:
                raise CommandError(f"There is no clinic called “{options['clinic']}”.")
        for clinic in clinics:
            labels = recalculate_labels(clinic=clinic, every=options["every_label"])
            entries = refresh_clinic(clinic, missing_only=options["missing"])
            if options["verbosity"]:
                unit = "labels changed" if options["every_label"] else "labels recalculated with the new rule"
                self.stdout.write(f"{clinic}: {entries} photographs in the queue, {labels} {unit}.")
                if options["every_label"] and (count := _invalid_report_count(clinic)):
                    self.stdout.write(
                        f"{clinic}: signed reports that are no longer valid, marked in the list of visits: {count}."
                    )


def _invalid_report_count(clinic: Clinic) -> int:
    reports = Report.objects.filter(visit__patient__clinic=clinic).select_related("visit__patient__clinic")
    return sum(map(bool, unreported_changes_among(list(reports.prefetch_related("addenda"))).values()))
