from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from patients.audit.chain import seal_everything
from patients.audit.commands import AuditedCommand
from patients.audit.verifying import Anchors, read_anchors, verify_chain
from patients.models import AuditChain, Clinic


class Command(AuditedCommand):
    help = (
        "Verify the audit trail: that no entry was changed, taken out or cut off. Names the first broken entry of "
        "each clinic and ends with status 1. Safe while the site is running."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clinic", help="the name of one clinic; default: every clinic and the installation")
        parser.add_argument(
            "--anchors", type=Path, metavar="FILE", help="entries that were shipped as JSON lines: they must be there"
        )

    def handle(self, **options: Any) -> None:
        chains = AuditChain.objects.select_related("clinic").order_by("clinic__name")
        if options["clinic"] is not None:
            if not Clinic.objects.filter(name=options["clinic"]).exists():
                raise CommandError(f"There is no clinic called “{options['clinic']}”.", returncode=2)
            chains = chains.filter(clinic__name=options["clinic"])
        anchors = _anchors(options["anchors"])
        seal_everything()
        broken = 0
        for chain in chains:
            verdict = verify_chain(chain, anchors=anchors.get(str(chain.clinic_id or "")))
            broken += bool(verdict.fault)
            words = f"BROKEN: {verdict.fault}." if verdict.fault else "intact."
            self.stdout.write(f"{chain}: {verdict.checked:,} entries, {words}")
        known = set(map(str, AuditChain.objects.values_list("clinic", flat=True))) | {""}
        if options["clinic"] is None and (lost := set(anchors) - known):
            broken += len(lost)
            self.stdout.write(f"BROKEN: the chains of these clinics are missing: {', '.join(sorted(lost))}.")
        if broken:
            raise CommandError(f"Broken chains: {broken}.")


def _anchors(path: Path | None) -> Anchors:
    if path is None:
        return {}
    try:
        return read_anchors(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} cannot be read as shipped entries: {error}", returncode=2) from error
