"""Signal receivers: a report is withheld when a photograph is excluded, kept withheld when that is undone, and noted
as contradicted when a laboratory result says otherwise.
"""

from typing import Any

from django.utils.translation import gettext as _

from diagnosis.assessment.exclusions import image_excluded, image_returning
from diagnosis.images.models import Exclusion, Image
from diagnosis.outcomes.models import PathologyResult
from diagnosis.outcomes.pathology import result_confirmed
from diagnosis.reports.contradicted_results import note_contradicted_reports
from diagnosis.reports.models import Report
from diagnosis.reports.notices import notify_of_withholding
from diagnosis.reports.withholding import keep_withheld
from patients.models import Member


def connect() -> None:
    image_excluded.connect(_notify_patient, dispatch_uid="tell the patient whose report is withheld")
    image_returning.connect(_keep_withheld, dispatch_uid="keep the report withheld")
    result_confirmed.connect(_note_contradictions, dispatch_uid="note the reports that a result contradicts")


def _notify_patient(*, image: Image, exclusion: Exclusion, **_more: Any) -> None:
    """Notify the patient if the report is now withheld because it shows another patient."""
    if (report := _withheld_report(image, exclusion)) is not None:
        notify_of_withholding(report=report, about=exclusion)


def _keep_withheld(*, image: Image, exclusion: Exclusion, by: Member, **_more: Any) -> None:
    """Keep a report of another patient's photograph withheld until a dermatologist releases it again."""
    if (report := _withheld_report(image, exclusion)) is not None:
        note = _("The exclusion of a photograph as another patient’s was undone.")
        keep_withheld(report=report, by=by, note=note)


def _note_contradictions(*, result: PathologyResult, **_more: Any) -> None:
    note_contradicted_reports(result=result)


def _withheld_report(image: Image, exclusion: Exclusion) -> Report | None:
    if not exclusion.shows_other_patient:
        return None
    return Report.objects.withheld().filter(visit=image.visit_id).first()
