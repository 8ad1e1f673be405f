"""Model cards as HTML."""

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# Raw HTML stays text, and only http, https and mailto become links.
MARKDOWN = MarkdownIt("js-default", {"linkify": False})


def render_card(text: str) -> SafeString:
    """Return the model card as HTML, with headings two levels lower to fit into the page."""
    tokens = MARKDOWN.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        # Columns are aligned by inline style, which the content security policy forbids.
        if token.attrs.pop("style", "") == "text-align:right":
            token.attrs["class"] = "number"
    return mark_safe(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))  # noqa: S308  # MARKDOWN escapes HTML
