"""Exclude a photograph from a record, and undo the exclusion."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
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
from diagnosis.reviews.blinding import note_seen
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.middleware import MemberRequest


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
@once(in_one_transaction=False)
def exclude(request: MemberRequest, image_id: UUID) -> HttpResponse:
    """Show the exclusion form; POST excludes the photograph, and adds it to another lesion if one was chosen."""
    image = _find(request, image_id)
    if request.method != "POST" and image.exclusions.standing().exists():
        messages.info(request, str(AlreadyExcluded()), extra_tags=AlreadyExcluded.code)
        return redirect(image)
    form = ExclusionForm(request.POST if request.method == "POST" else None, image=image)
    if form.is_valid():
        try:
            return redirect(_carry_out(request, image, form))
        except AlreadyExcluded as error:
            messages.info(request, str(error), extra_tags=error.code)
            return redirect(image)
        except AlreadyUploaded:
            words = _("That lesion already has this photograph: only exclude this one.")
            form.add_error("lesion", ValidationError(words, code=AlreadyUploaded.code))
        except Refused as error:
            form.add_error(None, error.as_form_error())
    finding = finding_of(image)
    note_seen(request.member, [image])
    context = {
        "image": image,
        "lesion": image.lesion,
        "visit": image.visit,
        "patient": image.visit.patient,
        "form": form,
        "finding": finding,
        "is_confirmed_beside": is_confirmed_beside(image, finding),
        "is_urgent_alone": is_urgent_alone(image),
        "no_longer_counts": [chip.words for chip in photograph_of(image).chips_of_labels],
    }
    return render(request, "record/exclusion.html", context, status=422 if form.errors else 200)


@require_role(*EVERYONE_IN_THE_CLINIC)
@require_POST
@once
def undo(request: MemberRequest, image_id: UUID) -> HttpResponse:
    image = _find(request, image_id)
    try:
        row = undo_exclusion(image=image, by=request.member)
        code, words = _what_stays_withheld(row)
        words = f"{_('The exclusion is undone: the photograph is used again.')} {words}".strip()
        messages.success(request, words, extra_tags=f"exclusion_undone {code}".strip())
    except Refused as error:
        messages.info(request, str(error), extra_tags=error.code)
    return redirect(image)


def _carry_out(request: MemberRequest, image: Image, form: ExclusionForm) -> Image:
    """Exclude the photograph, and return the photograph to show next."""
    by, note, lesion = request.member, form.cleaned_data["note"], form.cleaned_data.get("lesion")
    if lesion is not None:
        finding = finding_of(image)
        added = add_to_other_lesion(image=image, lesion=lesion, by=by, note=note)
        words = _("The photograph was added here and excluded from its previous lesion.")
        messages.success(request, words, extra_tags="photograph_added_here")
        if finding is not None:
            words = _("Its finding there does not count here: review the photograph. %(finding)s.")
            messages.warning(request, words % {"finding": finding.words}, extra_tags="finding_does_not_count_here")
        return added
    row = exclude_image(image=image, by=by, reason=form.cleaned_data["reason"], note=note)
    code, words = _patient_notice(row)
    messages.success(
        request,
        f"{_('The photograph is excluded.')} {words}".strip(),
        extra_tags=f"photograph_excluded {code}".strip(),
    )
    return image


def _patient_notice(row: Exclusion) -> tuple[str, str]:
    """Return how the patient learns that their report is withheld, as codes and in words; empty if no report is."""
    image = row.image
    if not row.shows_other_patient or not Report.objects.withheld().filter(visit=image.visit_id).exists():
        return "", ""
    reach = reach_of(image.visit.patient)
    code = f"report_withheld patient_{reach}"
    if reach is not Reach.MAIL:
        words = _(
            "The report that shows it is withheld from the patient. They cannot be reached by e-mail: tell them."
        )
        return code, words
    return code, _(
        "The report that shows it is withheld from the patient. An e-mail to the patient is waiting to be sent; the "
        "visit's page shows when it was sent."
    )


def _what_stays_withheld(row: Exclusion) -> tuple[str, str]:
    """Return why a report stays withheld, as a code and in words; empty if none does."""
    if Report.objects.withheld().filter(visit=row.image.visit_id).exists():
        words = _("The report of its visit stays withheld from the patient: it still shows another patient.")
        return "still_shows_other_patient", words
    withheld = Withholding.objects.standing().filter(report__visit=row.image.visit_id)
    if not row.shows_other_patient or not withheld.exists():
        return "", ""
    words = _("The report of its visit stays withheld from the patient until a dermatologist releases it again.")
    return "withheld_until_released_again", words


def _find(request: MemberRequest, image_id: UUID) -> Image:
    images = Image.objects.visible_to(request.member).select_related(
        "visit__patient__clinic", "visit__patient__user", "lesion"
    )
    return get_object_or_404(images, pk=image_id)
