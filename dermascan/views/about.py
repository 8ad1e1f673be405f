"""What DermaScan is and is not, and how good its network is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

from diagnosis.condition_names import condition_name, malignancy_name
from mlmodel.serving import active_analyser
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
        "conditions": [(condition_name(each), malignancy_name(each), each.code) for each in CONDITIONS],
        "urgent_found": _of_a_hundred(points.urgent.melanoma_sensitivity),
        "urgent_flagged": _of_a_hundred(1 - points.urgent.specificity),
        "calm_missed": _of_a_hundred(1 - points.watch.sensitivity),
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


def _of_a_hundred(share: float) -> int:
    return round(share * 100)
