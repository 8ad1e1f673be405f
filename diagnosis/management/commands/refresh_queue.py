from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from diagnosis.reports.models import Report
from diagnosis.reports.validity import otherwise_among
from diagnosis.reviews.labels import recalculate_labels
from diagnosis.reviews.queue import refresh_clinic
from patients.models import Clinic


class Command(BaseCommand):
    help = (
        "Work out anew what waits in the review queue and why, and derive the labels again that another rule for "
        "reviews had made. Run it after the rule or the random share has changed, and with --every-label after an "
        "upgrade that changes how reviews settle a label. Safe to run again, and while the site is served."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clinic", help="the name of one clinic; every clinic's without it")
        parser.add_argument("--missing", action="store_true", help="only photographs that have no place in it yet")
        parser.add_argument("--every-label", action="store_true", help="derive every label again, and count changes")

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
                said = "labels changed" if options["every_label"] else "labels derived by the new rule"
                self.stdout.write(f"{clinic}: {entries} photographs placed, {labels} {said}.")
                if options["every_label"] and (count := _reports_that_do_not_hold(clinic)):
                    self.stdout.write(
                        f"{clinic}: signed reports that no longer hold, marked in the list of visits: {count}."
                    )


def _reports_that_do_not_hold(clinic: Clinic) -> int:
    reports = Report.objects.filter(visit__patient__clinic=clinic).select_related("visit__patient__clinic")
    return sum(map(bool, otherwise_among(list(reports.prefetch_related("addenda"))).values()))
