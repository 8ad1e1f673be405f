"""The history of the networks as a PDF: versions, what the gate said, who decided and why."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone

from diagnosis.reports.pdf import render_page
from mlmodel.versions.models import Decision, ModelVersion
from mlmodel.versions.serving import active_version


def history_pdf(request: HttpRequest) -> bytes:
    """Lay out every version and every decision, A4, with the names that whoever asks may read."""
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
