"""The views of the API: photographs in, calibrated probabilities out."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dermascan.core.once import remembered_attempt
from diagnosis.api import parsers, schema
from diagnosis.api.idempotency import once_per_key
from diagnosis.api.permissions import member_of
from diagnosis.api.problems import Problem, describe, report_server_error
from diagnosis.api.results import Reader, answer_for_image, answer_for_quick_result, explanation_of
from diagnosis.api.serializers import ExplanationSerializer, PredictBatchSerializer, PredictSerializer
from diagnosis.api.storing import Place, find_place
from diagnosis.api.throttles import ExplanationThrottle, PredictionThrottle
from diagnosis.assessment.analysis import check_picture
from diagnosis.reviews.blinding import note_seen
from mlmodel.pictures.picture_errors import MAX_BYTES


class ApiView(APIView):
    """A view that checks the headers before the body is read; its responses are never cached."""

    max_request_bytes: ClassVar[int] = parsers.TEXT_REQUEST_BYTES

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        parsers.refuse_unreadable(request, limit=self.max_request_bytes)
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


class PredictView(ApiView):
    parser_classes = [parsers.FormParser]
    throttle_classes = [PredictionThrottle]
    max_request_bytes = parsers.PHOTOGRAPH_REQUEST_BYTES

    @schema.predict
    def post(self, request: Request) -> Response:
        form = PredictSerializer(data=request.data, context={"request": request})
        form.is_valid(raise_exception=True)
        if len(request.FILES.getlist("file")) > 1:
            raise Problem("too-many-files", _("Send one photograph here, or several to /api/v1/predict/batch/."))
        file, place, reader = form.validated_data["file"], _place(request, form), _reader(form)
        kind = form.validated_data.get("kind", "")
        return once_per_key(
            request,
            keeps=place is not None,
            work=lambda: _predict(file, place=place, reader=reader, by=request, kind=kind),
        )


class PredictBatchView(ApiView):
    parser_classes = [parsers.FormParser]
    max_request_bytes = parsers.PHOTOGRAPHS_REQUEST_BYTES

    @schema.predict_batch
    def post(self, request: Request) -> Response:
        if len(request.FILES.getlist("files")) > settings.UPLOAD_MAX_FILES:
            limit = settings.UPLOAD_MAX_FILES
            raise Problem("too-many-files", _("Send at most %(limit)d photographs at once.") % {"limit": limit})
        form = PredictBatchSerializer(data=request.data, context={"request": request})
        form.is_valid(raise_exception=True)
        files = form.validated_data["files"]
        place, kind = _place(request, form), form.validated_data.get("kind", "")
        throttle = PredictionThrottle()
        if not throttle.charge(request, cost=len(files)):
            raise Throttled(throttle.wait())

        def work() -> dict[str, Any]:
            results = [_item(index, file, place, _reader(form), request, kind) for index, file in enumerate(files)]
            failed = sum("problem" in item for item in results)
            return {"count": len(results), "failed": failed, "results": results}

        return once_per_key(request, keeps=place is not None, work=work)


class ExplanationView(ApiView):
    parser_classes = [parsers.JSONParser, parsers.FormParser]
    throttle_classes = [ExplanationThrottle]

    @schema.explanation
    def post(self, request: Request) -> Response:
        form = ExplanationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(explanation_of(form.validated_data["condition"], reader=_reader(form)))


class UnknownPathView(ApiView):
    """Any other path below /api/: a 404 as a problem detail."""

    authentication_classes = []
    permission_classes = []
    http_method_names = []
    schema = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if _lacks_a_slash(request.path_info):
            return _with_slash(request)
        return super().dispatch(request, *args, **kwargs)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        raise NotFound(_("Nothing exists at this address; /api/docs/ lists the operations."))


def _lacks_a_slash(path: str) -> bool:
    try:
        match = resolve(f"{path}/")
    except Resolver404:
        return False
    return not path.endswith("/") and getattr(match.func, "view_class", None) is not UnknownPathView


def _with_slash(request: HttpRequest) -> HttpResponse:
    response = HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
    # Unlike 301, 308 keeps the method and the body.
    response.status_code = 308
    return response


def _predict(
    file: UploadedFile, *, place: Place | None, reader: Reader, by: Request, kind: str, index: int = 0
) -> dict[str, Any]:
    if place is None:
        result = check_picture(data=file.read(MAX_BYTES + 1), clinic_id=member_of(by).clinic_id, measures=True)
        return answer_for_quick_result(result, reader=reader, kind=kind)
    attempt = remembered_attempt(by._request)
    image = place.keep(file, by=member_of(by), attempt=attempt and attempt.part(f"file {index}"))
    note_seen(member_of(by), [image])
    return answer_for_image(image, reader=reader)


def _item(
    index: int, file: UploadedFile, place: Place | None, reader: Reader, request: Request, kind: str
) -> dict[str, Any]:
    """Return one file's answer or problem; a problem does not affect the other files."""
    item: dict[str, Any] = {"index": index, "filename": file.name}
    try:
        result = _predict(file, place=place, reader=reader, by=request, kind=kind, index=index)
        return {**item, "status": 200, "result": result}
    except Exception as error:
        problem = describe(error, instance=f"{request.path}#{index}")
        if problem["status"] >= 500:
            report_server_error(error, request)
        return {**item, "status": problem["status"], "problem": problem}


def _place(request: Request, form: Any) -> Place | None:
    names = ("patient", "lesion", "visit", "kind", "device", "taken_at")
    return find_place(member=member_of(request), **{name: form.validated_data.get(name) for name in names})


def _reader(form: Any) -> Reader:
    return Reader(language=form.validated_data["language"], reading_level=form.validated_data["reading_level"])
