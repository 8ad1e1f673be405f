"""Explanations of conditions: the stored one, else Gemini's, else the built-in library's."""

import logging
from functools import partial

from django.conf import settings
from django.core.cache import cache

from dermascan.core.background import enqueue_on_commit
from diagnosis.assessment import explanation_breaker, explanation_store
from mlmodel.explanations.checking import UnusableExplanation
from mlmodel.explanations.explained import Explained, Source
from mlmodel.explanations.gemini import GeminiAccess, GeminiError, ask_gemini
from mlmodel.explanations.library import LANGUAGE, entry_of
from mlmodel.explanations.questions import Question, question_of

logger = logging.getLogger(__name__)

# No page waits for the background task, so it may wait longer for a slow answer.
BACKGROUND_PATIENCE = 5
BACKGROUND_MOST_SECONDS = 60.0
# While one request is pending, other views of the same page do not send another.
ON_ITS_WAY_SECONDS = 120


def explain(*, code: str, language: str = "en", reading_level: str = "patient", ask: bool = True) -> Explained:
    """Return the explanation of a condition in a language and at a reading level.

    With ``ask`` it may wait for Gemini, up to ``GEMINI_TIMEOUT_SECONDS`` (not inside a transaction). Without, it
    returns the stored explanation or the library's at once. ``language`` may be a tag such as "en-gb". The library's
    explanation is always in "en".

    Raises:
        ValueError: the condition, the language or the reading level is not one of those offered.
    """
    question = _question(code, language, reading_level)
    texts = explanation_store.find(question)
    if texts is None and ask:
        texts = _ask_and_store(question, seconds=settings.GEMINI_TIMEOUT_SECONDS)
    return _from_library(question) if texts is None else _from_gemini(question, texts)


def request_explanation(*, code: str, language: str = "en", reading_level: str = "patient") -> bool:
    """Request the explanation in the background, if there is an API key and it is not stored yet.

    Returns:
        Whether a task will be sent once the current transaction commits. An unavailable broker is logged, not raised.

    Raises:
        ValueError: as ``explain``.
    """
    question = _question(code, language, reading_level)
    if (
        not settings.GEMINI_API_KEY
        or not explanation_breaker.may_ask(question)
        or explanation_store.find(question) is not None
    ):
        return False
    if not cache.add(_on_its_way(question), True, timeout=ON_ITS_WAY_SECONDS):
        return False
    words = (question.condition.code, question.language.code, question.reading_level.value)
    enqueue_on_commit(
        "diagnosis.assessment.tasks.write_explanation", *words, if_lost=partial(cache.delete, _on_its_way(question))
    )
    return True


def ask_and_store(*, code: str, language: str, reading_level: str) -> None:
    """Ask Gemini for the explanation and store it, unless it is already stored."""
    question = _question(code, language, reading_level)
    if explanation_store.find(question) is None:
        seconds = min(settings.GEMINI_TIMEOUT_SECONDS * BACKGROUND_PATIENCE, BACKGROUND_MOST_SECONDS)
        _ask_and_store(question, seconds=seconds)


def _ask_and_store(question: Question, *, seconds: float) -> dict[str, str] | None:
    if not settings.GEMINI_API_KEY or not explanation_breaker.may_ask(question):
        return None
    access = GeminiAccess(settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL, settings.GEMINI_ATTEMPTS)
    subject = (question.condition.code, question.language.code, question.reading_level.value)
    try:
        texts = ask_gemini(question=question, access=access, seconds=seconds)
    except GeminiError as failure:
        explanation_breaker.note_failure()
        logger.warning("Gemini did not explain %s (%s, %s): %s", *subject, failure)
        return None
    except UnusableExplanation as problem:
        explanation_breaker.note_failure()
        explanation_breaker.note_unusable(question)
        logger.warning("Gemini's explanation of %s (%s, %s) is not used: %s", *subject, problem)
        return None
    explanation_breaker.note_success()
    explanation_store.save(question, texts)
    return texts


def _question(code: str, language: str, reading_level: str) -> Question:
    return question_of(code=code, language=language, reading_level=reading_level, model_name=settings.GEMINI_MODEL)


def _from_gemini(question: Question, texts: dict[str, str]) -> Explained:
    sections = dict(texts)
    urgency = sections.pop("urgency")
    entry = entry_of(question.condition.code, question.reading_level)
    return Explained(
        code=question.condition.code,
        language=question.language.code,
        reading_level=question.reading_level.value,
        # Our own sentence on urgency is never rephrased if it exists in the reader's language.
        urgency=entry.urgency if question.language.code == LANGUAGE else urgency,
        sections=sections,
        sources=list(entry.sources),
        source=Source.GEMINI,
        model_name=question.model_name,
    )


def _from_library(question: Question) -> Explained:
    entry = entry_of(question.condition.code, question.reading_level)
    return Explained(
        code=question.condition.code,
        language=LANGUAGE,
        reading_level=question.reading_level.value,
        urgency=entry.urgency,
        sections=dict(entry.sections),
        sources=list(entry.sources),
        source=Source.LIBRARY,
    )


def _on_its_way(question: Question) -> str:
    return f"explanations:on-its-way:{question.key}"
