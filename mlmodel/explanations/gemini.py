"""Asking Gemini: within a deadline that bounds everything, trying again only where that can help.

``google.genai`` takes a second to import, so only who asks pays for it.
"""

import logging
import os
import random
import re
import ssl
import time
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from mlmodel.explanations.checking import UnusableExplanation, read_answer
from mlmodel.explanations.prompt import answer_schema, prompt_of
from mlmodel.explanations.questions import Question

if TYPE_CHECKING:
    from google import genai
    from google.genai.types import GenerateContentConfig, GenerateContentResponse

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5
MOST_TOKENS = 16_384
_KEY = re.compile(r"[!-~]+")
# What a far server calls its states; anything else it might say is not repeated in our logs.
_STATE = re.compile(r"[A-Z_]{1,40}")


@dataclass(frozen=True)
class GeminiAccess:
    """How Gemini is reached, and how often it is asked for one answer at the most."""

    api_key: str
    base_url: str = ""
    attempts: int = 3


class GeminiError(Exception):
    """No answer came. The message is in our words only: servers' messages and addresses may hold secrets."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again


def ask_gemini(*, question: Question, access: GeminiAccess, seconds: float) -> dict[str, str]:
    """Return the eight texts that Gemini wrote for ``question``, checked.

    Tries up to ``access.attempts`` times after 429, 5xx and time-outs, with exponential pauses and jitter, and never
    beyond ``seconds`` in all. It waits for the network: do not call it inside a transaction.

    Raises:
        GeminiError: the service could not be asked, or refused.
        UnusableExplanation: it answered with what cannot be shown; asking again would cost and not help.
    """
    deadline = time.monotonic() + seconds
    attempts = max(1, access.attempts)
    for attempt in range(1, attempts + 1):
        try:
            response = _generate(question, access, seconds=deadline - time.monotonic())
            return read_answer(_text_of(response), language=question.language)
        except GeminiError as failure:
            pause = FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
            if not failure.again or attempt == attempts or time.monotonic() + pause >= deadline:
                raise
            logger.info("Gemini: %s; attempt %d of %d", failure, attempt, attempts)
            time.sleep(pause)
    raise AssertionError("unreachable")


def _generate(question: Question, access: GeminiAccess, *, seconds: float) -> "GenerateContentResponse":
    """Make one attempt of at most ``seconds``.

    The client's own time-out counts from one read to the next, so that a server which drips, or a name server which
    hangs, would outlast it: the attempt runs in a thread of its own, and is left behind when time is up.
    """
    if seconds <= 0:
        raise GeminiError("out of time")
    outcome: SimpleQueue[GenerateContentResponse | Exception] = SimpleQueue()
    client = _client(access, seconds)
    words, config = prompt_of(question), _config(question)

    def attempt() -> None:
        try:
            outcome.put(client.models.generate_content(model=question.model_name, contents=words, config=config))
        except Exception as error:
            outcome.put(error)

    Thread(target=attempt, name="gemini", daemon=True).start()
    try:
        result = outcome.get(timeout=seconds)
    except Empty:
        raise GeminiError("timed out", again=True) from None
    finally:
        client.close()
    if isinstance(result, Exception):
        raise _failure_of(result) from None
    return result


def _client(access: GeminiAccess, seconds: float) -> "genai.Client":
    from google import genai
    from google.genai import types

    key = access.api_key.strip()
    if not _KEY.fullmatch(key):
        # The client would fail later, and say the key in its debug log.
        raise GeminiError("GEMINI_API_KEY holds characters that no key has")
    options = types.HttpOptions(
        base_url=access.base_url or None,
        # Only here do all model names exist, the "-latest" ones too.
        api_version="v1beta",
        timeout=max(1, int(seconds * 1000)),
        # Retries are ours: the library's own know no deadline.
        retry_options=types.HttpRetryOptions(attempts=1),
        client_args={"verify": _trusted()},
        async_client_args={"verify": _trusted()},
    )
    try:
        return genai.Client(api_key=key, vertexai=False, http_options=options)
    except Exception as error:
        raise GeminiError(f"client: {type(error).__name__}") from None


@cache
def _trusted() -> ssl.SSLContext:
    """Whom to trust, as the client would read it anew, twice, each time: that takes longer than all else it does."""
    import certifi

    return ssl.create_default_context(
        cafile=os.environ.get("SSL_CERT_FILE", certifi.where()), capath=os.environ.get("SSL_CERT_DIR")
    )


def _config(question: Question) -> "GenerateContentConfig":
    from google.genai import types

    # Retelling a text needs no thinking, and thinking takes longer than a page may wait. Only the 2.5 Flash family
    # is known to take this setting; others answer 400 to it.
    thinking = types.ThinkingConfig(thinking_budget=0) if question.model_name.startswith("gemini-2.5-flash") else None
    return types.GenerateContentConfig(
        response_mime_type="application/json",
        response_schema=answer_schema(),
        temperature=0.2,
        candidate_count=1,
        max_output_tokens=MOST_TOKENS,
        thinking_config=thinking,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def _failure_of(error: Exception) -> GeminiError:
    from google.genai import errors

    if isinstance(error, errors.APIError):
        again = error.code in {408, 429} or 500 <= error.code <= 599
        return GeminiError(f"HTTP {error.code} {_state(error.status)}".strip(), again=again)
    # Two HTTP libraries may be underneath; both name their time-outs alike.
    again = any(kind.__name__ == "TimeoutException" for kind in type(error).__mro__)
    return GeminiError(type(error).__name__, again=again)


def _text_of(response: "GenerateContentResponse") -> str:
    if response.prompt_feedback and response.prompt_feedback.block_reason:
        raise UnusableExplanation(f"blocked, {_state(response.prompt_feedback.block_reason.value)}")
    if not response.candidates:
        raise UnusableExplanation("no candidates")
    finish = response.candidates[0].finish_reason
    if finish is None or finish.value != "STOP":
        raise UnusableExplanation(f"not finished, {_state(finish.value) if finish else 'no reason'}")
    if not response.text:
        raise UnusableExplanation("empty")
    return response.text


def _state(value: object) -> str:
    return value if isinstance(value, str) and _STATE.fullmatch(value) else ""
