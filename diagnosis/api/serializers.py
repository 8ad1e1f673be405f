"""What may be sent. Answers are described in ``schema.py``."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from diagnosis.explanations.languages import LANGUAGES, UnknownLanguageError, language_of
from diagnosis.models import ReadingLevel
from mlmodel.taxonomy import BY_CODE, CODES, CONDITIONS

_BY_NAME = {condition.name.lower(): condition.code for condition in CONDITIONS}


class ReaderSerializer(serializers.Serializer[Any]):
    """For whom the explanation is written."""

    language = serializers.CharField(
        required=False,
        default="en",
        max_length=20,
        help_text=_("Language of the explanation, as in “en” or “pt-BR”. The built-in library answers in English."),
    )
    reading_level = serializers.ChoiceField(
        ReadingLevel.choices,
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


class PlaceSerializer(ReaderSerializer):
    """Where to keep photographs. Without any of these nothing is kept."""

    patient = serializers.UUIDField(required=False, help_text=_("Must be the lesion's patient, if given."))
    lesion = serializers.UUIDField(required=False, help_text=_("The lesion in the photograph; needed to keep it."))
    visit = serializers.UUIDField(
        required=False,
        help_text=_("An open visit. Without it: the patient's open visit of today, else a new visit."),
    )


class PredictSerializer(PlaceSerializer):
    file = serializers.FileField(
        allow_empty_file=True, help_text=_("A photograph: JPEG, PNG, WebP, TIFF, HEIC or BMP; at most 20 MB.")
    )


class PredictBatchSerializer(PlaceSerializer):
    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        allow_empty=False,
        help_text=_("At most 32 photographs, each at most 20 MB. Repeat the field for each."),
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
