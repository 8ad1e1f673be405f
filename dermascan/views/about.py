"""What DermaScan is and is not, and how good its network is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

from diagnosis.condition_names import condition_name, malignancy_name
from diagnosis.costs import in_hundred
from mlmodel.serving import active_analyser
from mlmodel.sources import sources_trained_on
from mlmodel.taxonomy import CONDITIONS

# Raw HTML stays text, and only http, https and mailto become links.
MARKDOWN = MarkdownIt("js-default", {"linkify": False})


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


def render_card(text: str) -> SafeString:
    """The model card as HTML. Its title stands below two headings of the page, so every heading moves down by two."""
    tokens = MARKDOWN.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        # Columns are aligned by inline style, which the content security policy forbids.
        if token.attrs.pop("style", "") == "text-align:right":
            token.attrs["class"] = "number"
    return mark_safe(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))  # noqa: S308  # MARKDOWN escapes HTML
