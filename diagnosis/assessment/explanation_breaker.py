"""A circuit-breaker in the shared cache, so that a dead service slows a few pages and not all of them."""

from django.core.cache import cache

from mlmodel.explanations.questions import Question

FAILURES_IN_A_ROW = 3
REST_SECONDS = 60
# What was blocked or junk once will most likely be so again, and every asking costs.
UNUSABLE_SECONDS = 600
_FAILURES = "explanations:failures"
_RESTING = "explanations:resting"


def may_ask(question: Question) -> bool:
    """Tell whether asking now is worth the wait."""
    return not cache.get_many([_RESTING, _unusable(question)])


def note_success() -> None:
    cache.delete_many([_FAILURES, _RESTING])


def note_failure() -> None:
    """Count a failure; at the third in a row asking rests. After the rest one more failure is enough."""
    failures = cache.get(_FAILURES, 0) + 1
    cache.set(_FAILURES, failures, timeout=10 * REST_SECONDS)
    if failures >= FAILURES_IN_A_ROW:
        cache.set(_RESTING, True, timeout=REST_SECONDS)


def note_unusable(question: Question) -> None:
    """Remember that this one question brings nothing of use, for a while."""
    cache.set(_unusable(question), True, timeout=UNUSABLE_SECONDS)


def _unusable(question: Question) -> str:
    return f"explanations:unusable:{question.key}"
