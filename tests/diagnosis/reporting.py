"""Visits with real photographs, signed and released, for the tests of reports, portal and admin."""

import datetime
import hashlib
import uuid
from collections.abc import Mapping

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from diagnosis.assessment.uploads import add_image
from diagnosis.followup.at_signing import Chosen, carry_out, next_steps_at, plan_with_steps
from diagnosis.images.models import Image
from diagnosis.reports.addendum_content import build_addendum
from diagnosis.reports.content import attach_signature, build_content, canonical_json, content_sha256, signature
from diagnosis.reports.models import Addendum, Report
from diagnosis.reports.services import with_plan
from diagnosis.reports.signing_checks import pressing_lesions
from diagnosis.reviews.answers import Certainty
from diagnosis.reviews.services import record_review
from patients.models import Member, Patient, Visit, VisitStatus
from tests import factories
from tests.conftest import PHOTOGRAPHS

MELANOMA = "ISIC_0024310"
NEVUS = "ISIC_0024320"


def photographed_visit(patient: Patient, *names: str, **visit) -> Visit:
    """A visit of ``patient`` with the named samples, all of one lesion."""
    visit = factories.VisitFactory(patient=patient, **visit)
    lesion = factories.LesionFactory(patient=patient)
    for name in names or (MELANOMA,):
        add_image(visit=visit, lesion=lesion, upload=sample(name), by=visit.clinician)
    return visit


def sample(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(f"{name}.jpg", (PHOTOGRAPHS / f"{name}.jpg").read_bytes(), "image/jpeg")


def refused_photograph(visit: Visit) -> Image:
    """A photograph that is far too small to be judged."""
    import io

    from PIL import Image as PillowImage

    file = io.BytesIO()
    with PillowImage.open(PHOTOGRAPHS / f"{NEVUS}.jpg") as picture:
        picture.resize((64, 48)).save(file, "JPEG")
    upload = SimpleUploadedFile("small.jpg", file.getvalue(), "image/jpeg")
    lesion = factories.LesionFactory(patient=visit.patient)
    return add_image(visit=visit, lesion=lesion, upload=upload, by=visit.clinician)


def earlier_photograph(image: Image) -> Image:
    """Another photograph of the same lesion, at a visit of its own."""
    visit = factories.VisitFactory(patient=image.visit.patient)
    return add_image(visit=visit, lesion=image.lesion, upload=sample(NEVUS), by=visit.clinician)


def signed_report(
    visit: Visit,
    by: Member,
    *,
    released: bool = False,
    at: datetime.datetime | None = None,
    chosen: Mapping[uuid.UUID, Chosen] | None = None,
) -> Report:
    """The report of ``visit`` with real content and a stand-in for the PDF, which takes seconds to make.

    Args:
        chosen: the next steps that the signer chose; None leaves them out of the content, as in older reports.
    """
    report = Report(id=uuid.uuid4(), visit=visit, signed_by=by, signed_at=at or timezone.now().replace(microsecond=0))
    content = build_content(visit)
    if chosen is not None:
        outcomes = next_steps_at(visit, chosen)
        visit.plan = plan_with_steps(visit.plan, outcomes)
        content = with_plan(content, visit.plan, outcomes)
        carry_out(outcomes, visit=visit, by=by)
    if pressing_lesions(content) and not content["visit"]["plan"]:
        report.no_plan_reason = "Treated elsewhere."
    report.content = canonical_json(attach_signature(content, report_id=report.pk, by=by, at=report.signed_at))
    report.content_sha256 = content_sha256(report.content)
    pdf = b"%PDF-1.7 stand-in"
    report.pdf_sha256 = hashlib.sha256(pdf).hexdigest()
    report.pdf.save("", ContentFile(pdf), save=False)
    report.save(force_insert=True)
    if released:
        report.released_by, report.released_at = by, max(timezone.now(), report.signed_at)
        report.save(update_fields=["released_by", "released_at"])
    visit.status = VisitStatus.RELEASED if released else VisitStatus.SIGNED
    visit.save(update_fields=["status", "plan"])
    return report


def signed_addendum(
    report: Report, by: Member, *, words: str = "The laboratory has answered.", replaces_plan: bool | None = None
) -> Addendum:
    """An addendum with real content and a stand-in for the PDF."""
    addendum = Addendum(id=uuid.uuid4(), report=report, signed_by=by, signed_at=timezone.now().replace(microsecond=0))
    content = build_addendum(report, words=words, replaces_plan=replaces_plan)
    addendum.number = content["number"]
    addendum.content = canonical_json({**content, "addendum": signature(addendum.pk, by=by, at=addendum.signed_at)})
    addendum.content_sha256 = content_sha256(addendum.content)
    pdf = b"%PDF-1.7 stand-in"
    addendum.pdf_sha256 = hashlib.sha256(pdf).hexdigest()
    addendum.pdf.save("", ContentFile(pdf), save=False)
    addendum.save(force_insert=True)
    return addendum


def confirm(
    visit: Visit,
    dermatologist: Member,
    code: str = "mel",
    certainty: str = Certainty.CERTAIN,
    other_text: str = "",
) -> None:
    """The dermatologist names the visit's one photograph."""
    record_review(
        image=visit.images.get(),
        reviewer=dermatologist,
        answer=code,
        certainty=certainty,
        reason="Histology.",
        other_text=other_text,
    )


def chosen_steps(page) -> dict[str, str]:
    """The fields with which a signing page's lesions that need a next step are seen again in three months."""
    fields: dict[str, str] = {}
    for form in page.context["steps"].forms:
        if form.is_needed:
            named = {"step": "see_again", "due_in": "3m", "seen": form["seen"].value()}
            fields |= {f"{form.prefix}-{name}": value for name, value in named.items()}
    return fields
