"""The intended readers of explanations."""

from enum import StrEnum


class ReadingLevel(StrEnum):
    PATIENT = "patient"
    CLINICIAN = "clinician"


READING_LEVELS: tuple[str, ...] = tuple(level.value for level in ReadingLevel)
