"""The page about DermaScan, its performance and its limits."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from diagnosis.assessment.threshold_costs import in_hundred
from diagnosis.images.condition_names import condition_name, malignancy_name
from diagnosis.retraining.model_cards import render_card
from mlmodel.releases.sources import sources_trained_on
from mlmodel.taxonomy import CONDITIONS
from mlmodel.versions.serving import active_analyser


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    analyser = active_analyser()
    points = analyser.operating_points
    context = {
        "model_version": analyser.version,
        "card": render_card(analyser.card),
        "sources": sources_trained_on(analyser.release.settings),
        "conditions": [(condition_name(each), malignancy_name(each), each.code) for each in CONDITIONS],
        "urgent_found": in_hundred(*points.urgent.melanomas_found),
        "urgent_flagged": in_hundred(*points.urgent.benign_spared, is_missed=True),
        "calm_missed": in_hundred(*points.watch.malignant_found, is_missed=True),
    }
    return render(request, "dermascan/about.html", context)
