"""The active network: its model card, main figures and evaluation report."""

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from diagnosis.assessment.by_source import OfSource, by_source
from diagnosis.retraining.model_cards import render_card
from mlmodel.network.analyser import Analyser, get_analyser
from mlmodel.network.threshold_levels import ThresholdLevels, WatchLevel
from mlmodel.versions.serving import active_analyser
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import ClinicRequest

REPORT_PAGE, REPORT_JSON = "report.html", "report.json"


@dataclass(frozen=True)
class Figure:
    """One main figure, formatted for the page."""

    label: str
    value: str
    interval: str


@require_role(*EVERYONE_IN_THE_CLINIC, operator=True)
@require_safe
def network(request: ClinicRequest) -> HttpResponse:
    """Show the active network and its performance in the evaluation."""
    analyser = active_analyser()
    facts = report_facts(analyser)
    first = facts["sets"][0] if facts else None
    context = {
        "analyser": analyser,
        "card": render_card(analyser.card),
        "has_report": facts is not None,
        "figures": _headline(first) if first else [],
        "set": first,
        "made_at": facts["made_at"][:10] if facts else "",
        "sources": _by_source(analyser),
    }
    return render(request, "retraining/network.html", context)


@require_role(*EVERYONE_IN_THE_CLINIC, operator=True)
@require_safe
def network_report(request: ClinicRequest) -> HttpResponse:
    """Return the report that ``manage.py evaluate`` wrote. Its policy allows only its own styles and pictures."""
    page = _report_file(REPORT_PAGE)
    style = page.partition(b"<style>")[2].partition(b"</style>")[0]
    allowed = base64.b64encode(hashlib.sha256(style).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{allowed}'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox allow-popups"
    )
    return HttpResponse(page, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy})


@require_role(*EVERYONE_IN_THE_CLINIC, operator=True)
@require_safe
def network_report_json(request: ClinicRequest) -> HttpResponse:
    """Return the report's figures as JSON."""
    content = _report_file(REPORT_JSON)
    name = f"dermascan-evaluation-{active_analyser().version}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type="application/json", headers=headers)


def report_facts(analyser: Analyser) -> dict[str, Any] | None:
    """Return the figures of this network's report; None if there is none, or it is about another network."""
    try:
        facts: dict[str, Any] = json.loads((_folder() / REPORT_JSON).read_text(encoding="utf-8"))
        is_of_this_network = facts["network"]["sha256"] == analyser.sha256 and facts["sets"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return facts if is_of_this_network and (_folder() / REPORT_PAGE).is_file() else None


def _report_file(name: str) -> bytes:
    analyser = active_analyser()
    if report_facts(analyser) is None:
        raise Http404(_("This network has no evaluation report."))
    return (_folder() / name).read_bytes()


def _folder() -> Path:
    """Return the folder of the shipped network, the only one that has a report."""
    head = get_analyser().release.head
    assert isinstance(head, Path), "the shipped head is a file"
    return head.parent


def _by_source(analyser: Analyser) -> tuple[OfSource, ...]:
    """Return a row for each source that the release was tested on; none for a retrained network."""
    settings = analyser.release.settings
    levels = ThresholdLevels.from_settings(settings)
    return by_source(levels.watch[WatchLevel.RELEASED], settings.get("by_source")) if levels else ()


def _headline(dataset: dict[str, Any]) -> list[Figure]:
    """Return the main figures by lesion, as at the top of the report, without those that were not measured."""
    labels = {
        "balanced_accuracy": _("Balanced accuracy"),
        "accuracy": _("Accuracy"),
        "macro_auc": _("Macro AUC"),
        "malignant_auc": _("Malignant against benign, AUC"),
        "melanoma_specificity": _("Melanoma: specificity at 0.90 sensitivity"),
        "calibration_error": _("Expected calibration error"),
    }
    figures = dataset["subsets"]["lesions"]["figures"]
    return [
        Figure(label, f"{each['value']:.3f}", f"{each['low']:.3f}–{each['high']:.3f}")
        for name, label in labels.items()
        if (each := figures.get(name))
    ]
