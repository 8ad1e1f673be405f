"""A circuit breaker in the shared cache, so that an unavailable service does not slow every page."""

from django.core.cache import cache

from mlmodel.explanations.questions import Question

FAILURES_IN_A_ROW = 3
REST_SECONDS = 60
# An answer that was blocked or unusable once most likely will be again, and every request costs money.
UNUSABLE_SECONDS = 600
_FAILURES = "explanations:failures"
_RESTING = "explanations:resting"


def may_ask(question: Question) -> bool:
    """Return whether a request may be sent now."""
    return not cache.get_many([_RESTING, _unusable(question)])


def note_success() -> None:
    cache.delete_many([_FAILURES, _RESTING])


def note_failure() -> None:
    """Count a failure. The third in a row opens the breaker; after the pause one more failure opens it again."""
    failures = cache.get(_FAILURES, 0) + 1
    cache.set(_FAILURES, failures, timeout=10 * REST_SECONDS)
    if failures >= FAILURES_IN_A_ROW:
        cache.set(_RESTING, True, timeout=REST_SECONDS)


def note_unusable(question: Question) -> None:
    """Remember for a while that this question got an unusable answer."""
    cache.set(_unusable(question), True, timeout=UNUSABLE_SECONDS)


def _unusable(question: Question) -> str:
    return f"explanations:unusable:{question.key}"
