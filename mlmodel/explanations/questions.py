"""Requests for explanations: a condition, a language and a reading level, each from a fixed list."""

import hashlib
from dataclasses import dataclass

from mlmodel.explanations.languages import Language, language_of
from mlmodel.explanations.reading_levels import READING_LEVELS, ReadingLevel
from mlmodel.taxonomy import BY_CODE, Condition


class UnknownConditionError(ValueError):
    """The code is not one of the seven classes."""


class UnknownReadingLevelError(ValueError):
    """The reading level is neither patient nor clinician."""


@dataclass(frozen=True)
class Question:
    """A request for one explanation, with the language model that would write it."""

    condition: Condition
    language: Language
    reading_level: ReadingLevel
    model_name: str

    @property
    def key(self) -> str:
        """A key for this question that is valid in any cache."""
        parts = (self.condition.code, self.language.code, self.reading_level.value, self.model_name)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def question_of(*, code: str, language: str, reading_level: str, model_name: str) -> Question:
    """Return the validated question for this language model.

    Raises:
        UnknownConditionError, UnknownLanguageError, UnknownReadingLevelError: all are ValueErrors.
    """
    if code not in BY_CODE:
        raise UnknownConditionError("This condition is not one of the seven.")
    if reading_level not in READING_LEVELS:
        raise UnknownReadingLevelError("This reading level is not available. Choose patient or clinician.")
    return Question(
        condition=BY_CODE[code],
        language=language_of(language),
        reading_level=ReadingLevel(reading_level),
        model_name=model_name,
    )
