from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command

from diagnosis.assessment.rescoring import rescore_in_background
from mlmodel.releases.release_files import SHIPPED
from patients.audit.commands import AuditedCommand


class Command(AuditedCommand):
    help = (
        "Rebuild everything that is made from the features of a network, after a new backbone: the reference of drift "
        "and the base set, on whose held-out photographs the gate compares candidates; then, of the network that "
        "serves here, the embeddings in which similar cases are searched. The archive is re-scored in the background; "
        "earlier answers stay. Safe to run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("data", type=Path, metavar="DATA", help="The folder written by import_ham10000.")
        parser.add_argument("--release", type=Path, default=SHIPPED, metavar="DIR", help="The network's release.")
        parser.add_argument("--cache", type=Path, default=Path(settings.DATA_DIR) / "features", metavar="DIR")
        parser.add_argument(
            "--read-photographs",
            action="store_true",
            help="as for embed_images: also analyse photographs again that an earlier backbone analysed last",
        )

    def handle(self, **options: Any) -> None:
        for command in ("build_reference", "pack_base_set"):
            call_command(
                command, options["data"], release=options["release"], cache=options["cache"], stdout=self.stdout
            )
        if options["release"].resolve() != SHIPPED.resolve():
            self.stdout.write("The archive was left alone: another network serves here.")
            return
        call_command("embed_images", read_photographs=options["read_photographs"], stdout=self.stdout)
        rescore_in_background()
        self.stdout.write("The archive is re-scored in the background.")
