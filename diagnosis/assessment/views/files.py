"""Serve image files. Every request is checked, so a leaked link shows nothing to others."""

import logging
from datetime import datetime
from pathlib import PurePosixPath
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from diagnosis.assessment.heat_maps import heat_map_of
from diagnosis.images.errors import CannotReadOriginal
from diagnosis.images.full_pictures import full_picture_of
from diagnosis.images.models import FullPicture, HeatMap, Image
from diagnosis.reviews.blinding import note_seen
from mlmodel.network.quality import Reliability
from mlmodel.taxonomy import CODES
from patients.middleware import ClinicRequest

log = logging.getLogger(__name__)

DISPLAY, THUMBNAIL, FULL, HEAT_MAP, ORIGINAL = "display", "thumbnail", "full", "heat-map", "original"
# "heat-map-nv" is the heat map of one class; "heat-map" alone is that of the explained class.
OF_A_CLASS = tuple(f"{HEAT_MAP}-{code}" for code in CODES)


class ImageKindConverter:
    regex = "|".join((DISPLAY, THUMBNAIL, FULL, *OF_A_CLASS, HEAT_MAP, ORIGINAL))

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


@login_required
@require_safe
def image_file(request: ClinicRequest, image_id: UUID, kind: str) -> HttpResponse:
    """Return one of a photograph's files. Members see their clinic's; patients see released ones, but no originals."""
    image = _visible_image(request, image_id, kind)
    if kind.startswith(HEAT_MAP):
        note_seen(request.member, [image])
    file, media_type, made_at = _file_of(image, kind)
    etag = f'"{PurePosixPath(str(file.name)).name}"'
    # Names contain random keys and contents never change, so the name serves as the ETag.
    response = get_conditional_response(request, etag=etag, last_modified=int(made_at.timestamp()))
    if response is None:
        response = _content(file, media_type, image.original_name if kind == ORIGINAL else None)
        response["ETag"] = etag
        response["Last-Modified"] = http_date(made_at.timestamp())
    # Neither browsers nor proxies may store a patient's photograph.
    response["Cache-Control"] = "no-store, private"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _visible_image(request: ClinicRequest, image_id: UUID, kind: str) -> Image:
    if request.member is not None:
        return get_object_or_404(Image.objects.visible_to(request.member), pk=image_id)
    if kind == ORIGINAL:
        raise Http404
    return get_object_or_404(Image.objects.released_to(request.user), pk=image_id)


def _file_of(image: Image, kind: str) -> tuple[FieldFile, str, datetime]:
    """Return the file, its media type, and when it was made."""
    if kind.startswith(HEAT_MAP):
        heat_map = _heat_map(image, code=kind.removeprefix(HEAT_MAP).removeprefix("-"))
        return heat_map.file, "image/png", heat_map.created_at
    if kind == FULL and (full := _full_picture(image)) is not None:
        return full.file, "image/jpeg", full.created_at
    if kind == ORIGINAL:
        return image.original, image.media_type, image.created_at
    return (image.thumbnail if kind == THUMBNAIL else image.display), "image/jpeg", image.created_at


def _full_picture(image: Image) -> FullPicture | None:
    """Return the picture with all of the original's pixels; None where the display has them all."""
    try:
        return full_picture_of(image)
    except CannotReadOriginal as error:
        raise Http404(_("The original of this photograph can no longer be read.")) from error


def _heat_map(image: Image, *, code: str) -> HeatMap:
    """Return the heat map of the class that explains the shown answer, or of the most probable one if requested."""
    prediction = image.shown_prediction
    if prediction is None or image.reliability is not Reliability.CALIBRATED:
        raise Http404(_("This photograph has no heat map."))
    if code and code not in (prediction.explained_code, prediction.code):
        raise Http404(_("This photograph has no heat map of this class."))
    heat_map = heat_map_of(prediction, code=code or prediction.explained_code)
    if heat_map is None:
        raise Http404(_("The heat map of this photograph can no longer be drawn."))
    return heat_map


def _content(file: FieldFile, media_type: str, download_as: str | None) -> HttpResponse:
    """Return the file as a response. An original is always a download, so that no browser renders it as our page."""
    try:
        content = file.open("rb")
    except FileNotFoundError as error:
        log.error("The file %s is missing from the storage.", file.name)
        raise Http404(_("This file is missing from the storage.")) from error
    response = FileResponse(
        content, content_type=media_type, as_attachment=download_as is not None, filename=download_as or ""
    )
    return response  # type: ignore[return-value]
