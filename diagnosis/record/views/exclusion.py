"""Take a photograph out of the wrong record, and put it back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dermascan.core.errors import Refused
from dermascan.core.once import once
from diagnosis.assessment.errors import AlreadyExcluded, AlreadyUploaded
from diagnosis.assessment.exclusions import add_to_other_lesion, exclude_image, undo_exclusion
from diagnosis.assessment.findings import finding_of, is_confirmed_beside, is_urgent_alone
from diagnosis.assessment.forms import ExclusionForm
from diagnosis.assessment.photographs import photograph_of
from diagnosis.images.models import Exclusion, Image
from diagnosis.reports.models import Report, Withholding
from diagnosis.reports.notices import Reach, reach_of
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import ClinicRequest
from patients.models import Member
from patients.services.visits import VisitIsClosed


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once(in_one_transaction=False)
def exclude(request: ClinicRequest, image_id: UUID) -> HttpResponse:
    """Say what is wrong with it; POST sets it aside, and adds it to the lesion that was chosen."""
    found = _find(request, image_id)
    if request.method != "POST" and found.exclusions.standing().exists():
        messages.info(request, str(AlreadyExcluded()))
        return redirect(found)
    form = ExclusionForm(request.POST if request.method == "POST" else None, image=found)
    if form.is_valid():
        try:
            return redirect(_carry_out(request, found, form))
        except AlreadyExcluded as error:
            messages.info(request, str(error))
            return redirect(found)
        except AlreadyUploaded:
            form.add_error("lesion", _("It is kept under that lesion already: only set this one aside."))
        except (Refused, VisitIsClosed) as error:
            form.add_error(None, str(error))
    finding = finding_of(found)
    context = {
        "image": found,
        "lesion": found.lesion,
        "visit": found.visit,
        "patient": found.visit.patient,
        "form": form,
        "finding": finding,
        "is_confirmed_beside": is_confirmed_beside(found, finding),
        "is_urgent_alone": is_urgent_alone(found),
        "no_longer_counts": [sign.words for sign in photograph_of(found).signs_of_labels],
    }
    return render(request, "record/exclusion.html", context, status=422 if form.errors else 200)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def undo(request: ClinicRequest, image_id: UUID) -> HttpResponse:
    found = _find(request, image_id)
    try:
        row = undo_exclusion(image=found, by=_member(request))
        messages.success(request, f"{_('The photograph is in use again.')} {_what_stays_withheld(row)}".strip())
    except Refused as error:
        messages.info(request, str(error))
    return redirect(found)


def _carry_out(request: ClinicRequest, image: Image, form: ExclusionForm) -> Image:
    """Return the photograph to look at next."""
    by, note, lesion = _member(request), form.cleaned_data["note"], form.cleaned_data.get("lesion")
    if lesion is not None:
        finding = finding_of(image)
        added = add_to_other_lesion(image=image, lesion=lesion, by=by, note=note)
        messages.success(request, _("The photograph was added here, and set aside where it was."))
        if finding is not None:
            words = _("What was said of it there does not count here: review it. %(finding)s.")
            messages.warning(request, words % {"finding": finding.words})
        return added
    row = exclude_image(image=image, by=by, reason=form.cleaned_data["reason"], note=note)
    messages.success(request, f"{_('The photograph is set aside.')} {_how_the_patient_hears(row)}".strip())
    return image


def _how_the_patient_hears(row: Exclusion) -> str:
    """Say whether the patient is told that their report is withheld for it, or what is left to do; else empty."""
    image = row.image
    if not row.shows_other_patient or not Report.objects.withheld().filter(visit=image.visit_id).exists():
        return ""
    if reach_of(image.visit.patient) is not Reach.MAIL:
        return _("The report that shows it is withheld from the patient. They cannot be mailed: tell them.")
    return _(
        "The report that shows it is withheld from the patient. An e-mail that says so waits to be sent; the visit's "
        "page shows when it has gone."
    )


def _what_stays_withheld(row: Exclusion) -> str:
    if Report.objects.withheld().filter(visit=row.image.visit_id).exists():
        return _("The report of its visit stays withheld from the patient: it shows another patient still.")
    withheld = Withholding.objects.standing().filter(report__visit=row.image.visit_id)
    if not row.shows_other_patient or not withheld.exists():
        return ""
    return _("The report of its visit stays withheld from the patient until a dermatologist releases it again.")


def _find(request: ClinicRequest, image_id: UUID) -> Image:
    images = Image.objects.visible_to(request.member).select_related(
        "visit__patient__clinic", "visit__patient__user", "lesion"
    )
    return get_object_or_404(images, pk=image_id)


def _member(request: ClinicRequest) -> Member:
    assert request.member is not None, "require_role lets nobody else in"
    return request.member
