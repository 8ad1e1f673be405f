"""The quick check: analyse one photograph and store nothing."""

import base64
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from dermascan.core.throttles import QuickCheckThrottle
from dermascan.forms import QuickCheckForm
from dermascan.samples import Sample, samples
from dermascan.views.errors import too_large
from diagnosis.assessment.analysis import QuickResult, check_picture
from diagnosis.assessment.explain import explain
from diagnosis.assessment.presentation import present_analysis, present_explanation
from diagnosis.assessment.refusals import present_refusal, quality_facts
from diagnosis.images.condition_names import condition_name
from mlmodel.pictures.picture_errors import MAX_BYTES, PictureError
from mlmodel.taxonomy import BY_CODE
from patients.guessing import please_wait as too_many_requests

# The form around the photograph: boundary lines and the CSRF token.
FORM_BYTES = 64 * 1024


@csrf_exempt  # The CSRF check reads the whole body, so _check does it after the size and rate checks.
@require_http_methods(["GET", "HEAD", "POST"])
def quick_check(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _form_page(request, QuickCheckForm())
    if seconds := QuickCheckThrottle().retry_after(request):
        return too_many_requests(request, seconds=seconds, back="quick-check")
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BYTES + FORM_BYTES:
        return too_large(request, back="quick-check")
    return _check(request)


@csrf_protect
def _check(request: HttpRequest) -> HttpResponse:
    form = QuickCheckForm(request.POST, request.FILES)
    if sum(len(files) for _field, files in request.FILES.lists()) > 1:
        form.add_error("file", ValidationError(_("Send one photograph at a time."), code="too_many_photographs"))
    if not form.is_valid():
        return _form_page(request, form, status=400)
    sample = form.cleaned_data["sample"]
    try:
        member = getattr(request, "member", None)
        result = check_picture(
            data=sample.read() if sample else form.cleaned_data["file"].read(),
            clinic_id=member.clinic_id if member else None,
        )
    except PictureError as error:
        form.add_error("file", ValidationError(error.text.translated(_), code=error.code))
        return _form_page(request, form, status=error.status)
    return _result_page(request, result, sample)


def _result_page(request: HttpRequest, result: QuickResult, sample: Sample | None) -> HttpResponse:
    quality = result.analysis.quality
    facts = quality_facts(
        verdict=quality.verdict,
        measures=quality.measures,
        width=result.picture.width,
        height=result.picture.height,
    )
    view = present_analysis(result.analysis, analyser=result.analyser, facts=facts)
    heat_maps = result.heat_map_pngs() if view and view.is_reliable else {}
    context: dict[str, Any] = {
        "view": view,
        "refusal": None if view else present_refusal(quality.verdict, facts=facts),
        "photograph": _data_uri(result.display_jpeg(longest_side=1000), "image/jpeg"),
        "heat_maps": [
            (code, name, _data_uri(heat_maps[code], "image/png"))
            for code, name in (view.mapped if view else ())
            if code in heat_maps
        ],
        "model_version": result.model_version,
        "seconds": result.duration.total_seconds(),
        "sample": sample,
        "sample_label": condition_name(BY_CODE[sample.code]) if sample else None,
    }
    if view and view.explained_code:
        # From the library: visitors do not use the language model.
        explained = explain(code=view.explained_code, ask=False)
        context |= present_explanation(explained, tier=view.tier, other_code=view.other_code)
    # 422 for a refusal: the photograph was read but is not fit to be analysed.
    response = render(request, "dermascan/quick_check_result.html", context, status=200 if view else 422)
    # The photograph is embedded in the page, so a cached page would store it.
    response["Cache-Control"] = "no-store"
    return response


def _form_page(request: HttpRequest, form: QuickCheckForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "samples": samples().values()}
    return render(request, "dermascan/quick_check.html", context, status=status)


def _data_uri(data: bytes, media_type: str) -> str:
    """Return the image as a data URI, so that it has no URL of its own."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
