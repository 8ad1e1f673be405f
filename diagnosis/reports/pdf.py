"""PDFs of reports and addenda: A4, tagged for screen readers, with embedded fonts and photographs.

WeasyPrint is imported on first use because importing it takes seconds.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from diagnosis.reports.addendum_content import present_addendum, with_later_labels
from diagnosis.reports.models import Addendum, Report
from diagnosis.reports.report_pictures import heat_map_url, photograph_url
from diagnosis.reports.report_view import present

FONTS = {
    "dermascan:font/latin": "fonts/inter-latin-wght-normal.woff2",
    "dermascan:font/latin-ext": "fonts/inter-latin-ext-wght-normal.woff2",
}
# Widths of the bars as classes, so that the page needs no inline styles.
BAR_WIDTHS = "".join(f".w{percent}{{width:{percent}%}}" for percent in range(1, 101))


def render_pdf(content: dict[str, Any], *, content_sha256: str, figures: dict[str, bytes]) -> bytes:
    """Return the PDF of a report.

    Args:
        content: from ``attach_signature``; content without a signature is marked as a draft.
        content_sha256: the hash of its canonical JSON, printed on every page; empty for a draft.
        figures: JPEG files by address, from ``figures_of``.
    """
    presented = _with_addresses(present(content), figures)
    title = _("Skin examination report, %(date)s") % {"date": date_format(presented["visit"]["date"], "j F Y")}
    html = render_to_string(
        "reports/report.html", {"title": title, "content": presented, "content_sha256": content_sha256}
    )
    return _render(html, style=render_to_string("reports/report.css") + BAR_WIDTHS, files=figures)


def render_addendum(
    content: dict[str, Any],
    *,
    content_sha256: str,
    report: Report,
    earlier: Sequence[Addendum],
    figures: dict[str, bytes],
) -> bytes:
    """Return the PDF of a signed addendum, followed by earlier addenda and the report, newest first.

    Each page of the report is marked as amended; short addenda share pages.

    Args:
        content_sha256: the hash of the addendum's canonical JSON. Each footer shows that of the page's first addendum.
        earlier: the report's earlier addenda, in any order.
        figures: JPEG files by address; photographs without one are left out.
    """
    newest = present_addendum(content)
    before = sorted(earlier, key=lambda each: -each.number)
    older = [{**present_addendum(json.loads(each.content)), "content_sha256": each.content_sha256} for each in before]
    addenda = [{**newest, "content_sha256": content_sha256}, *older]
    reported = _with_addresses(present(with_later_labels(json.loads(report.content), addenda)), figures)
    title = _("Skin examination report with addendum, %(date)s") % {
        "date": date_format(newest["visit"]["date"], "j F Y")
    }
    context = {"title": title, "addenda": addenda, "content": reported, "content_sha256": report.content_sha256}
    html = render_to_string("reports/addendum.html", context)
    return _render(html, style=render_to_string("reports/report.css") + BAR_WIDTHS, files=figures)


def render_page(html: str, *, style: str) -> bytes:
    """Return the PDF of any other page, with embedded fonts; it cannot load anything else."""
    return _render(html, style=style, files={})


def _render(html: str, *, style: str, files: dict[str, bytes]) -> bytes:
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    fetcher = _fetcher({**files, **_fonts()})
    fonts = FontConfiguration()
    pdf = HTML(string=html, url_fetcher=fetcher).write_pdf(
        stylesheets=[CSS(string=style, font_config=fonts, url_fetcher=fetcher)],
        font_config=fonts,
        pdf_variant="pdf/ua-1",
        pdf_tags=True,
        pdf_version="1.7",
    )
    assert pdf is not None  # without a target, WeasyPrint returns the bytes
    return pdf


def _fetcher(files: dict[str, bytes]) -> Any:
    """A URL fetcher that serves only ``files`` from memory. Any other address stops the rendering."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class InMemoryFetcher(URLFetcher):
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
            if url not in files:
                raise FatalURLFetchingError(f"A report may not load {url}")
            return URLFetcherResponse(url, files[url])

    return InMemoryFetcher()


def _fonts() -> dict[str, bytes]:
    fonts = {}
    for address, name in FONTS.items():
        path = finders.find(name)
        if path is None:
            raise FileNotFoundError(f"The report's font {name} is missing from the static files.")
        with open(path, "rb") as file:
            fonts[address] = file.read()
    return fonts


def _with_addresses(content: dict[str, Any], figures: dict[str, bytes]) -> dict[str, Any]:
    """Add the addresses of its figures to each photograph."""
    for lesion in content["lesions"]:
        for photograph in lesion["photographs"]:
            url = photograph_url(photograph["id"])
            photograph["url"] = url if url in figures else None
            heat_map = heat_map_url(photograph["id"])
            photograph["heat_map_url"] = heat_map if heat_map in figures else None
    return content
