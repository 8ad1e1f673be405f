"""What may be sent. Answers are described in ``schema.py``."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.settings import api_settings

from mlmodel.explanations.languages import LANGUAGES, UnknownLanguageError, language_of
from mlmodel.explanations.reading_levels import READING_LEVELS, ReadingLevel
from mlmodel.pictures.picture_errors import MAX_BYTES
from mlmodel.taxonomy import BY_CODE, CODES, CONDITIONS

# The token that a form of ours carries for a browser that is signed in.
_SENT_BY_BROWSERS = {"csrfmiddlewaretoken"}
_BY_NAME = {condition.name.lower(): condition.code for condition in CONDITIONS}

_MEGABYTES = MAX_BYTES // 1024**2


class ReaderSerializer(serializers.Serializer[Any]):
    """For whom the explanation is written."""

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
        # The stock message repeats what was sent, which may not even be encodable.
        error_messages={"invalid_choice": _("Choose “patient” or “clinician”.")},
    )

    def validate_language(self, value: str) -> str:
        try:
            return language_of(value).code
        except UnknownLanguageError:
            offered = ", ".join(language.code for language in LANGUAGES)
            raise serializers.ValidationError(_("Choose one of: %(codes)s.") % {"codes": offered}) from None


class IdField(serializers.UUIDField):
    """An id, or no field at all. An empty one is a mistake and not the same as none: the photograph would be lost."""

    default_error_messages = {
        "empty": _("This is empty. Send the id, or leave the field out if nothing is to be kept."),
    }

    def get_value(self, dictionary: Mapping[str, Any]) -> Any:
        # The framework takes an empty form field for one that was not sent.
        return dictionary.get(str(self.field_name), serializers.empty)

    def to_internal_value(self, data: Any) -> UUID:
        if isinstance(data, str) and not data.strip():
            self.fail("empty")
        return super().to_internal_value(data)


class PlaceSerializer(ReaderSerializer):
    """Where to keep photographs. Without any of these nothing is kept.

    What is not known here is refused: overlooking a misspelt ``lesion`` would silently keep nothing.
    """

    patient = IdField(required=False, help_text=_("Must be the lesion's patient, if given."))
    lesion = IdField(required=False, help_text=_("The lesion in the photograph; needed to keep it."))
    visit = IdField(
        required=False,
        help_text=_("An open visit. Without it: the patient's open visit of today, else a new visit."),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        known = ", ".join(self.fields)
        unknown = set(self.initial_data) - set(self.fields) - _SENT_BY_BROWSERS
        errors = {name: [_("This field is not known. Choose from: %(known)s.") % {"known": known}] for name in unknown}
        for name in set(self.context["request"].query_params) - {api_settings.URL_FORMAT_OVERRIDE}:
            errors[name] = [
                _("Nothing is read from the address. Send fields in the form: %(known)s.") % {"known": known}
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
