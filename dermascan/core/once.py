"""Idempotency keys: the same request sent twice (double click, retry, two tabs) is carried out once.

Every form that creates something contains ``{% idempotency_key %}``, and its view is decorated with ``@once``. The
first request with a key is carried out; the same content with the same key again gets the first one's result. A
refused request (a form with errors, or an error message) has no result and may be sent again.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.messages import get_messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse

from dermascan.core.submission import Submission

View = Callable[..., HttpResponse]
# Builds the page for a repeated request whose result was not stored.
Again = Callable[[HttpRequest, dict[str, Any]], HttpResponse]

FIELD = "idempotency_key"
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST_KEY = 255
# Fields that may differ between two submissions of the same form.
NOT_CONTENT = {FIELD, "csrfmiddlewaretoken"}


@dataclass(frozen=True)
class Attempt:
    """The identity of a request with an idempotency key."""

    key_digest: str
    content_digest: str

    def part(self, name: str) -> "Attempt":
        """Return the attempt for one of several steps of the request, stored separately."""
        return Attempt(_digest([self.key_digest, name]), self.content_digest)


def once(view: View | None = None, *, in_one_transaction: bool = True, again: Again | None = None) -> Any:
    """Decorate a view whose POST creates something, so that the same form sent twice creates it only once.

    Args:
        in_one_transaction: store the result together with the created rows; a second request waits for the first.
            False for work that takes seconds and must not hold the database's write lock. Then database constraints
            must reject the second request (one signed report per visit, one copy of a file).
        again: builds the page for the second request, from the request and the values given to ``to_be_made_again``.
            For a page with a secret, which must not be stored; other results are stored as they are.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
            attempt = attempt_of(request) if request.method == "POST" else None
            if attempt is None:
                return view(request, *args, **kwargs)
            remember(request, attempt)
            answer = _answer_in_one_transaction if in_one_transaction else _answer
            return answer(request, attempt, lambda: view(request, *args, **kwargs), again)

        guarded.is_sent_once = True  # type: ignore[attr-defined]
        return guarded

    return decorate if view is None else decorate(view)


def to_be_made_again(response: HttpResponse, **values: str) -> HttpResponse:
    """Attach the values from which the page is rebuilt if the form is sent again; see ``once``."""
    response.made_from = values  # type: ignore[attr-defined]
    return response


def attempt_of(request: HttpRequest, *, key: str | None = None, content: Any = None) -> Attempt | None:
    """Return the request's attempt, or None without a usable key, in which case it is simply carried out."""
    key = key or key_of(request)
    if not key or len(key) > LONGEST_KEY:
        return None
    sender = f"user {request.user.pk}" if request.user.is_authenticated else "visitor"
    return Attempt(
        key_digest=_digest([sender, request.get_full_path(), key]),
        content_digest=_digest(content if content is not None else content_of(request)),
    )


def key_of(request: HttpRequest) -> str:
    """Return the key as sent, or "". Only its digest is stored."""
    return str(request.headers.get(HEADER) or request.POST.get(FIELD) or "")


def content_of(request: HttpRequest) -> list[Any]:
    """Return the submitted fields, and the files by name and hash."""
    fields = [[name, values] for name, values in sorted(request.POST.lists()) if name not in NOT_CONTENT]
    files = [
        [name, [[file.name, _digest_of_file(file)] for file in uploads]]
        for name, uploads in sorted(request.FILES.lists())
    ]
    return [fields, files]


def earlier_result(attempt: Attempt) -> Submission | None:
    return Submission.objects.filter(key_digest=attempt.key_digest, content_digest=attempt.content_digest).first()


def has_other_content(attempt: Attempt) -> bool:
    """Return whether this key was sent before with different content."""
    others = Submission.objects.exclude(content_digest=attempt.content_digest)
    return others.filter(key_digest=attempt.key_digest).exists()


def remember(request: HttpRequest, attempt: Attempt) -> None:
    request.attempt = attempt  # type: ignore[attr-defined]


def remembered_attempt(request: HttpRequest) -> Attempt | None:
    """Return the attempt noted by ``remember``, for a view that stores its work in steps."""
    return getattr(request, "attempt", None)


def note_stored(attempt: Attempt, key: str) -> None:
    """Record that the attempt stored a row, in the same transaction; the attempt's result is stored later."""
    _insert(attempt.part(key))


def has_stored(attempt: Attempt, key: str) -> bool:
    """Return whether the same request, sent earlier or concurrently, stored that row."""
    return earlier_result(attempt.part(key)) is not None


def keep_result(attempt: Attempt, result: dict[str, Any]) -> None:
    """Store the result of ``attempt``, unless a concurrent request has stored one."""
    _insert(attempt, result=json.dumps(result))


def _answer_in_one_transaction(
    request: HttpRequest, attempt: Attempt, work: Callable[[], HttpResponse], again: Again | None
) -> HttpResponse:
    with transaction.atomic():
        # Of two concurrent requests, the second waits here until the first has finished.
        submission, is_first = _insert(attempt)
        if not is_first:
            return _replay(request, submission, again)
        response = work()
        if not _is_result(request, response):
            submission.delete()
            return response
        submission.result = json.dumps(_result(request, response))
        submission.save(update_fields=["result"])
        return response


def _answer(
    request: HttpRequest, attempt: Attempt, work: Callable[[], HttpResponse], again: Again | None
) -> HttpResponse:
    if submission := earlier_result(attempt):
        return _replay(request, submission, again)
    response = work()
    if _is_result(request, response):
        keep_result(attempt, _result(request, response))
        return response
    # The refusal may be due to the same request, carried out concurrently.
    submission = earlier_result(attempt)
    return _replay(request, submission, again) if submission else response


def _insert(attempt: Attempt, **values: Any) -> tuple[Submission, bool]:
    new = Submission(key_digest=attempt.key_digest, content_digest=attempt.content_digest, **values)
    Submission.objects.bulk_create([new], ignore_conflicts=True)
    stored = Submission.objects.get(key_digest=attempt.key_digest, content_digest=attempt.content_digest)
    return stored, stored.pk == new.pk


def _is_result(request: HttpRequest, response: HttpResponse) -> bool:
    """Return whether something was done. Forms with errors return 200 or 422; other refusals leave a message."""
    if any(message.level >= messages.ERROR for message in _queued(request)):
        return False
    if isinstance(response, JsonResponse):
        return response.status_code < HTTPStatus.MULTIPLE_CHOICES
    if _is_popup(response) or hasattr(response, "made_from"):
        return True
    return HTTPStatus.MULTIPLE_CHOICES <= response.status_code < HTTPStatus.BAD_REQUEST


def _result(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    notices = [[message.level, str(message.message), message.extra_tags or ""] for message in _queued(request)]
    if isinstance(response, JsonResponse):
        return {"body": json.loads(response.content), "notices": notices}
    if hasattr(response, "made_from"):
        return {"made_from": response.made_from, "notices": notices}
    if _is_popup(response):
        return {"page": response.render().content.decode(), "notices": notices}  # type: ignore[attr-defined]
    return {"location": response.get("Location", ""), "notices": notices}


def _is_popup(response: HttpResponse) -> bool:
    """Return whether this is the admin's response to an addition in a pop-up window."""
    return "admin/popup_response.html" in (getattr(response, "template_name", None) or ())


def _replay(request: HttpRequest, submission: Submission, again: Again | None) -> HttpResponse:
    result = json.loads(submission.result)
    for level, text, tags in result["notices"]:
        messages.add_message(request, level, text, extra_tags=tags, fail_silently=True)
    response: HttpResponse
    if "body" in result:
        response = JsonResponse(result["body"])
    elif "made_from" in result:
        assert again is not None
        response = again(request, result["made_from"])
    elif "page" in result:
        response = HttpResponse(result["page"])
    else:
        response = HttpResponseRedirect(result["location"])
    response[REPLAYED] = "true"
    return response


def _queued(request: HttpRequest) -> list[Any]:
    """Return the messages of this request. Iterating over the storage would mark older messages as shown."""
    return list(getattr(get_messages(request), "_queued_messages", []))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=True).encode()).hexdigest()


def _digest_of_file(file: Any) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
