"""Upload photographs: one request per file from the script, or a plain form with several."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from dermascan.core.errors import Refused
from dermascan.core.multipart import printable_name
from dermascan.core.once import Attempt, once, remembered_attempt
from dermascan.core.script_requests import is_script_request
from dermascan.core.storage_faults import CannotBeKept
from diagnosis.assessment.errors import AlreadyUploaded
from diagnosis.assessment.facts_forms import UploadForm
from diagnosis.assessment.photographs import Photograph, photograph_of
from diagnosis.assessment.uploads import add_image
from diagnosis.assessment.views.problem_json import json_response, problem_body
from diagnosis.images.devices import default_kinds_in, last_device_of, may_manage_devices
from diagnosis.images.facts import StatedFacts
from diagnosis.images.models import Image
from diagnosis.reviews.blinding import note_seen
from mlmodel.pictures.picture_errors import PictureError
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.forms import LesionForm as NewLesionForm
from patients.lesion_symptom_rows import in_words
from patients.middleware import MemberRequest
from patients.models import Lesion, Member, Visit
from patients.risk_forms import AddedSymptomsForm
from patients.services import add_symptoms, symptoms_at
from patients.services.visits import VisitIsClosed

logger = logging.getLogger(__name__)

UNREADABLE_FORM = (BadRequest, MultiPartParserError, TooManyFieldsSent)


@csrf_exempt  # the inner view checks it after the size, because reading the token reads the whole body
@require_role(*EVERYONE_IN_THE_CLINIC)
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: MemberRequest, visit_id: UUID) -> HttpResponse:
    """Add photographs to a visit. The script sends one file and accepts JSON; a plain form sends several."""
    visits = Visit.objects.visible_to(request.member).select_related("patient")
    visit = get_object_or_404(visits, pk=visit_id)
    if _length(request) > settings.UPLOAD_MAX_REQUEST_BYTES:
        return _problem(
            request, visit, "too_large", _("This upload is too large. Send fewer photographs at a time."), 413
        )
    try:
        return _upload(request, visit)
    except (RequestDataTooBig, TooManyFilesSent) as error:
        code = "too_large" if isinstance(error, RequestDataTooBig) else "too_many_files"
        return _problem(request, visit, code, _("This upload is too large. Send fewer photographs at a time."), 413)
    except UNREADABLE_FORM:
        return _problem(request, visit, "malformed", _("The form arrived incomplete. Send it again."), 400)


@csrf_protect
@once(in_one_transaction=False)
def _upload(request: MemberRequest, visit: Visit) -> HttpResponse:
    if request.method != "POST":
        if not visit.is_open:
            messages.warning(request, str(VisitIsClosed()), extra_tags=VisitIsClosed.code)
            return redirect(visit)
        initial = {"lesion": request.GET.get("lesion"), "device": last_device_of(request.member)}
        form = UploadForm(visit=visit, member=request.member, initial=initial)
        return _page(request, visit, form, AddedSymptomsForm())
    if not visit.is_open:
        return _problem(request, visit, "visit_is_closed", str(VisitIsClosed()), 409)
    form, symptoms = UploadForm(request.POST, visit=visit, member=request.member), AddedSymptomsForm(request.POST)
    files = [file for _field, sent in request.FILES.lists() for file in sent]
    _check_files(form, files, limit=1 if is_script_request(request) else settings.UPLOAD_MAX_FILES)
    if not all([form.is_valid(), symptoms.is_valid()]):
        if is_script_request(request):
            return _problem(
                request, visit, "malformed", str(next(iter((form.errors or symptoms.errors).values()))[0]), 400
            )
        return _page(request, visit, form, symptoms, status=400)
    return _store(request, visit, form, symptoms, files)


def _store(
    request: MemberRequest, visit: Visit, form: UploadForm, symptoms: AddedSymptomsForm, files: list[UploadedFile]
) -> HttpResponse:
    attempt, lesion = remembered_attempt(request), form.cleaned_data["lesion"]
    try:
        # Before the photographs, whose advice follows from them.
        note = _contradictions(
            add_symptoms(visit=visit, lesion=lesion, by=request.member, stated=symptoms.cleaned_data), symptoms
        )
    except VisitIsClosed as error:
        return _problem(request, visit, error.code, error.message, 409)
    except Refused as error:
        return _problem(request, visit, error.code, error.message, 400)
    outcomes = [
        _add(visit, lesion, file, request.member, attempt and attempt.part(f"file {index}"), form.stated)
        for index, file in enumerate(files)
    ]
    note_seen(request.member, [each.photograph.image for each in outcomes if each.photograph])
    if is_script_request(request):
        body = {**outcomes[0].as_json(), **({"note": note} if note else {})}
        return json_response(request, body, status=outcomes[0].status)
    if len(outcomes) == 1 and outcomes[0].photograph:
        if note:
            messages.warning(request, note)
        return redirect(outcomes[0].photograph.image)
    kept = sum(1 for outcome in outcomes if outcome.photograph)
    context = {"visit": visit, "patient": visit.patient, "outcomes": outcomes, "kept": kept, "note": note}
    status = HTTPStatus.OK if kept else outcomes[0].status
    return render(request, "assessment/upload_outcomes.html", context, status=status)


upload.is_sent_once = True  # type: ignore[attr-defined]  # by _upload, after the size check


@dataclass(frozen=True)
class Outcome:
    """The outcome of one file: stored (analysed or refused), or not stored and why."""

    name: str
    photograph: Photograph | None = None
    status: int = HTTPStatus.OK
    code: str = ""
    message: str = ""
    existing: Image | None = None

    def as_json(self) -> dict[str, Any]:
        if self.photograph is None:
            existing = {"url": self.existing.get_absolute_url()} if self.existing else {}
            return {**problem_body(self.code, self.message, self.status), **existing}
        image, leading = self.photograph.image, self.photograph.leading_chip
        return {
            "id": str(image.pk),
            "url": image.get_absolute_url(),
            "thumbnail": reverse("image-file", args=[image.pk, "thumbnail"]),
            "verdict": image.verdict,
            "tier": self.photograph.chip_of_answer.tone if self.photograph.prediction else None,
            "badge": leading.tone,
            "message": leading.words,
            "badges": [{"tone": chip.tone, "words": chip.words} for chip in self.photograph.chips],
        }


def _add(
    visit: Visit, lesion: Lesion, file: UploadedFile, by: Member, attempt: Attempt | None, stated: StatedFacts
) -> Outcome:
    """Add one file and return its outcome, so that a failure does not affect the others."""
    name = printable_name(file.name)
    try:
        image = add_image(visit=visit, lesion=lesion, upload=file, by=by, attempt=attempt, stated=stated)
        return Outcome(name, photograph_of(image))
    except PictureError as error:
        return Outcome(name, status=error.status, code=error.code, message=error.text.translated(_))
    except AlreadyUploaded as error:
        return Outcome(name, None, HTTPStatus.CONFLICT, error.code, error.message, error.existing)
    except VisitIsClosed as error:
        return Outcome(name, status=HTTPStatus.CONFLICT, code=error.code, message=error.message)
    except Refused as error:
        return Outcome(name, status=HTTPStatus.BAD_REQUEST, code=error.code, message=error.message)
    except CannotBeKept as error:
        logger.error("A photograph could not be stored.", exc_info=error)
        return Outcome(name, status=error.status, code=error.code, message=str(error.message))


def _contradictions(names: Sequence[str], symptoms: AddedSymptomsForm) -> str:
    """Say which of the stated symptoms were not recorded; empty if all were."""
    if not names:
        return ""
    words = "; ".join(str(symptoms[name].label) for name in names)
    return _(
        "Not recorded, since another answer is recorded at this visit: %(symptoms)s. Correct it on the visit’s page."
    ) % {"symptoms": words}


def _check_files(form: UploadForm, files: list[UploadedFile], *, limit: int) -> None:
    if not files:
        form.add_error(None, ValidationError(_("Choose at least one photograph."), code="no_photograph"))
    elif len(files) > limit:
        words = ngettext(
            "Send %(limit)d photograph at a time.", "Send at most %(limit)d photographs at a time.", limit
        )
        form.add_error(None, ValidationError(words, code="too_many_photographs", params={"limit": limit}))


def _length(request: MemberRequest) -> int:
    """Return the stated length of the body; 0 if it is not a number. Django reads no more than that."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isdecimal() else 0


def _problem(request: MemberRequest, visit: Visit, code: str, message: str, status: int) -> HttpResponse:
    """Return an error for the whole request, without reading its body again."""
    if is_script_request(request):
        return json_response(request, problem_body(code, message, status), status=status)
    context = {"visit": visit, "patient": visit.patient, "problem": message, "outcomes": []}
    return render(request, "assessment/upload_outcomes.html", context, status=status)


def _page(
    request: MemberRequest, visit: Visit, form: UploadForm, symptoms: AddedSymptomsForm, *, status: int = 200
) -> HttpResponse:
    recorded = {str(row.lesion_id): in_words(row) for row in symptoms_at([visit.pk]).values()}
    context = {
        "visit": visit,
        "patient": visit.patient,
        "form": form,
        "symptoms_form": symptoms,
        "recorded_symptoms": json.dumps(recorded),
        "has_lesions": visit.patient.lesions.exists(),
        "lesion_form": NewLesionForm(instance=Lesion(patient=visit.patient), patient=visit.patient, auto_id="new_%s"),
        "default_kinds": json.dumps(default_kinds_in(request.member)),
        "may_manage_devices": may_manage_devices(request.member),
    }
    return render(request, "assessment/upload.html", context, status=status)
