"""Template tags for signed reports that a laboratory result contradicts."""

from django import template

from diagnosis.outcomes.models import PathologyResult
from diagnosis.reports.contradicted_results import messages_to_signers
from diagnosis.reports.models import ContradictedReport, Report

register = template.Library()


@register.simple_tag
def reports_contradicted_by(result: PathologyResult) -> list[ContradictedReport]:
    """Return the signed reports that ``result`` contradicts, each with the ``message`` to its signer."""
    rows = ContradictedReport.objects.filter(result=result).select_related("report__visit", "report__signed_by__user")
    # A signer is told once of all reports, so the message is about one of their rows; closed ones were told of too.
    messages = {each.user_id: each for each in messages_to_signers(list(rows))} if rows else {}
    standing = [row for row in rows if row.closed_at is None]
    for row in standing:
        row.message = messages.get(row.report.signed_by.user_id)  # type: ignore[attr-defined]
    return standing


@register.simple_tag
def results_against(report: Report | None) -> list[ContradictedReport]:
    """Return the results that contradict a signed report and still count, newest first."""
    if report is None:
        return []
    rows = ContradictedReport.objects.counting().filter(report=report)
    return list(rows.select_related("result__specimen__lesion").order_by("-created_at"))
