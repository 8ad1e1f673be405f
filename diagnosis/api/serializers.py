"""The request bodies. Those of responses are described in ``response_bodies.py``."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.settings import api_settings

from diagnosis.images.kinds import PhotographKind
from mlmodel.explanations.languages import LANGUAGES, UnknownLanguageError, language_of
from mlmodel.explanations.reading_levels import READING_LEVELS, ReadingLevel
from mlmodel.pictures.picture_errors import MAX_BYTES
from mlmodel.taxonomy import BY_CODE, CODES, CONDITIONS

# The CSRF token in forms that a signed-in browser sends.
_SENT_BY_BROWSERS = {"csrfmiddlewaretoken"}
_BY_NAME = {condition.name.lower(): condition.code for condition in CONDITIONS}

_MEGABYTES = MAX_BYTES // 1024**2


class ReaderSerializer(serializers.Serializer[Any]):
    """The language and reading level of the explanation."""

    language = serializers.CharField(
        required=False,
        default="en",
        max_length=20,
        help_text=_("Language of the explanation, as in “en” or “pt-BR”. The built-in library answers in English."),
    )
    reading_level = serializers.ChoiceField(
        [(level, level.capitalize()) for level in READING_LEVELS],
        required=False,
        default=ReadingLevel.PATIENT.value,
        help_text=_("For whom the explanation is written: patient or clinician."),
        # The default message repeats the input, which may not even be encodable.
        error_messages={"invalid_choice": _("Choose “patient” or “clinician”.")},
    )

    def validate_language(self, value: str) -> str:
        try:
            return language_of(value).code
        except UnknownLanguageError:
            codes = ", ".join(language.code for language in LANGUAGES)
            raise serializers.ValidationError(_("Choose one of: %(codes)s.") % {"codes": codes}) from None


class IdField(serializers.UUIDField):
    """An id that may be left out but not be empty: by mistake, the photograph would not be stored."""

    default_error_messages = {
        "empty": _("This is empty. Send the id, or leave the field out if nothing is to be stored."),
    }

    def get_value(self, dictionary: Mapping[str, Any]) -> Any:
        # REST framework treats an empty form field as one that was not sent.
        return dictionary.get(str(self.field_name), serializers.empty)

    def to_internal_value(self, data: Any) -> UUID:
        if isinstance(data, str) and not data.strip():
            self.fail("empty")
        return super().to_internal_value(data)


class PlaceSerializer(ReaderSerializer):
    """Where to store photographs, and how they were taken. Without lesion, visit or patient nothing is stored.

    Unknown fields are refused: ignoring a misspelt ``lesion`` would silently store nothing.
    """

    patient = IdField(required=False, help_text=_("Must be the lesion's patient, if given."))
    lesion = IdField(required=False, help_text=_("The lesion in the photograph; required to store it."))
    visit = IdField(
        required=False,
        help_text=_("An open visit. Default: the patient's open visit of today, or else a new visit."),
    )

    kind = serializers.ChoiceField(
        PhotographKind.choices,
        required=False,
        help_text=_(
            "What the photographs show. It only ever makes the answer more cautious: an overview or a close-up is "
            "answered as taken without a dermatoscope. Default: what the device usually takes."
        ),
        # The default message repeats the input, which may not even be encodable.
        error_messages={"invalid_choice": _("Choose “overview”, “close_up” or “dermoscopic”.")},
    )
    device = IdField(
        required=False,
        help_text=_("The device of your clinic that took the photographs; its page shows the id. Needs a lesion."),
    )
    taken_at = serializers.DateTimeField(
        required=False,
        help_text=_(
            "When the photographs were taken: in 1990 or later, and not in the future. Default: what the file says, "
            "if it is plausible. Needs a lesion."
        ),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = ", ".join(self.fields)
        unknown = set(self.initial_data) - set(self.fields) - _SENT_BY_BROWSERS
        errors = {name: [_("Unknown field. Choose from: %(names)s.") % {"names": names}] for name in unknown}
        for name in set(self.context["request"].query_params) - {api_settings.URL_FORMAT_OVERRIDE}:
            errors[name] = [
                _("The query string is not read. Send the fields in the form: %(names)s.") % {"names": names}
            ]
        if errors:
            raise serializers.ValidationError(dict(sorted(errors.items())))
        return attrs


class PredictSerializer(PlaceSerializer):
    file = serializers.FileField(
        allow_empty_file=True,
        help_text=format_lazy(
            _("A photograph: JPEG, PNG, WebP, TIFF, HEIC, BMP or GIF; at most {megabytes} MB."),
            megabytes=_MEGABYTES,
        ),
    )


class PredictBatchSerializer(PlaceSerializer):
    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        allow_empty=False,
        help_text=format_lazy(
            _("At most {count} photographs, each at most {megabytes} MB. Repeat the field for each."),
            count=settings.UPLOAD_MAX_FILES,
            megabytes=_MEGABYTES,
        ),
    )


class ExplanationSerializer(ReaderSerializer):
    condition = serializers.CharField(
        max_length=100, help_text=_("A code (%(codes)s) or a name.") % {"codes": ", ".join(CODES)}
    )

    def validate_condition(self, value: str) -> str:
        code = value.strip().lower()
        code = code if code in BY_CODE else _BY_NAME.get(code, "")
        if not code:
            raise serializers.ValidationError(_("Choose one of: %(codes)s.") % {"codes": ", ".join(CODES)})
        return code
