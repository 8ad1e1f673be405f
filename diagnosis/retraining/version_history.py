"""The version history as a PDF: versions, verdicts of the gate, decisions and their reasons."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from diagnosis.reports.pdf import render_page
from mlmodel.versions.models import Decision, ModelVersion
from mlmodel.versions.serving import active_version


def history_pdf(request: HttpRequest) -> bytes:
    """Return the A4 PDF of every version and decision, with the names that the user may see."""
    html = render_to_string(
        "retraining/version_history.html",
        {
            "active": active_version(),
            "versions": ModelVersion.objects.select_related("parent"),
            "decisions": Decision.objects.select_related("version", "replaced", "by__member", "seconded_by__member"),
            "request": request,
            "now": timezone.localtime(),
        },
    )
    return render_page(html, style=render_to_string("retraining/version_history.css"))
