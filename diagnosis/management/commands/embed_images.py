from argparse import ArgumentParser
from typing import Any

from django.db import transaction

from diagnosis.assessment.analysis import analyse_original
from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.models import ImageFeatures
from diagnosis.similar.embeddings import embed_from_features, outdated_images, store_embedding
from mlmodel.counted import counted
from mlmodel.network.analyser import get_analyser
from patients.audit.commands import AuditedCommand


class Command(AuditedCommand):
    help = (
        "Calculate the embeddings that are missing for the active network, so that photographs are found as similar "
        "confirmed cases. Run it after the network was replaced. Safe to run again, and while the site is running."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--read-photographs",
            action="store_true",
            help=(
                "also analyse photographs again whose features are of an earlier backbone (a fraction of a second "
                "each)"
            ),
        )

    def handle(self, **options: Any) -> None:
        count = sum(embed_from_features())
        self.stdout.write(f"Embedded {counted(count, 'photograph')} from stored features.")
        outdated = outdated_images()
        if options["read_photographs"]:
            read, unreadable = self._read(outdated)
            self.stdout.write(f"Analysed {counted(read, 'photograph')} again; {unreadable} could not be read.")
        elif waiting := outdated.count():
            self.stdout.write(
                f"{waiting} photographs were last analysed by an earlier backbone and cannot be compared; "
                "use --read-photographs to analyse them again."
            )

    def _read(self, images: Any) -> tuple[int, int]:
        read = unreadable = 0
        for key in list(images.values_list("pk", flat=True)):
            image = images.model.objects.get(pk=key)
            try:
                features = analyse_original(image, analyser=get_analyser())[0].features
            except CannotReadOriginal:
                unreadable += 1
                continue
            with transaction.atomic():
                ImageFeatures.objects.get_or_create(image=image, defaults={"backbone_sha256": "", "vector": b""})
                store_embedding(image=image, features=features)
            read += 1
        return read, unreadable
