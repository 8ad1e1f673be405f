"""Explanations stored in the database."""

import logging
from typing import Any

from django.db import DatabaseError, transaction

from diagnosis.assessment.models import Explanation
from mlmodel.explanations.checking import UnusableExplanation, check_texts
from mlmodel.explanations.questions import Question

logger = logging.getLogger(__name__)


def find(question: Question) -> dict[str, str] | None:
    """Return the stored texts; None if there are none or they no longer pass the checks."""
    texts = Explanation.objects.filter(**_key(question)).values_list("sections", flat=True).first()
    if texts is None:
        return None
    try:
        return check_texts(texts, language=question.language)
    except UnusableExplanation as problem:
        logger.warning("Stored explanation %s is not used: %s", question.condition.code, problem)
        return None


def save(question: Question, texts: dict[str, str]) -> None:
    """Store texts. Safe for two requests at once; a database error is logged and does not fail the page."""
    try:
        with transaction.atomic():
            Explanation.objects.update_or_create(defaults={"sections": texts}, **_key(question))
    except DatabaseError as error:
        logger.warning("Explanation %s could not be stored: %s", question.condition.code, type(error).__name__)


def _key(question: Question) -> dict[str, Any]:
    return {
        "code": question.condition.code,
        "language": question.language.code,
        "reading_level": question.reading_level.value,
        "model_name": question.model_name[:80],
    }
