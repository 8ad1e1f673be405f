"""Client for Gemini, with an overall deadline and retries only for temporary failures.

``google.genai`` takes a second to import, so it is imported only when needed.
"""

import logging
import os
import re
import ssl
import time
from dataclasses import dataclass
from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

import tenacity

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
# The format of the server's status codes; other server text must not get into our logs.
_STATE = re.compile(r"[A-Z_]{1,40}")


@dataclass(frozen=True)
class GeminiAccess:
    """Access to Gemini, and the maximum number of attempts for one answer."""

    api_key: str
    base_url: str = ""
    attempts: int = 3


class GeminiError(Exception):
    """No answer was received. The message never quotes the server, whose messages may contain secrets."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again


def ask_gemini(*, question: Question, access: GeminiAccess, seconds: float) -> dict[str, str]:
    """Return the eight validated texts that Gemini wrote for ``question``.

    It makes at most ``access.attempts`` attempts after 429, 5xx and timeouts, with exponential backoff and jitter,
    within ``seconds`` in total. It waits for the network: do not call it inside a transaction.

    Raises:
        GeminiError: the service was unavailable or refused.
        UnusableExplanation: the answer cannot be shown; a retry would cost money without helping.
    """
    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda failure: isinstance(failure, GeminiError) and failure.again),
        stop=tenacity.stop_after_attempt(access.attempts) | tenacity.stop_before_delay(seconds),
        wait=tenacity.wait_exponential_jitter(initial=FIRST_PAUSE_SECONDS, jitter=FIRST_PAUSE_SECONDS),
        before_sleep=tenacity.before_sleep_log(logger, logging.INFO),
        reraise=True,
    )
    response = attempts(_generate, question, access, deadline=time.monotonic() + seconds)
    return read_answer(_text_of(response), language=question.language)


def _generate(question: Question, access: GeminiAccess, *, deadline: float) -> "GenerateContentResponse":
    """Return the response of one attempt that ends at ``deadline``, in ``time.monotonic``'s seconds.

    The client's own timeout applies to each read, so a slow server or name server could exceed it. The attempt
    therefore runs in a separate thread, which is abandoned when time is up.
    """
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise GeminiError("out of time")
    outcome: SimpleQueue[GenerateContentResponse | Exception] = SimpleQueue()
    client = _client(access, seconds)
    prompt, config = prompt_of(question), _config(question)

    def attempt() -> None:
        try:
            outcome.put(client.models.generate_content(model=question.model_name, contents=prompt, config=config))
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
        # The client would fail later and write the key to its debug log.
        raise GeminiError("GEMINI_API_KEY contains invalid characters")
    options = types.HttpOptions(
        base_url=access.base_url or None,
        # Only this version knows all model names, including the "-latest" ones.
        api_version="v1beta",
        timeout=max(1, int(seconds * 1000)),
        # We retry ourselves, since the library's retries have no deadline.
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
    """Return the trusted certificates, cached because the client would load them twice for every request."""
    import certifi

    return ssl.create_default_context(
        cafile=os.environ.get("SSL_CERT_FILE", certifi.where()), capath=os.environ.get("SSL_CERT_DIR")
    )


def _config(question: Question) -> "GenerateContentConfig":
    from google.genai import types

    # Retelling a text needs no thinking, which takes too long for a page. Only the 2.5 Flash family is known to accept
    # this setting; other models answer 400.
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
    # The client uses one of two HTTP libraries, whose timeout exceptions have the same name.
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
