"""Asking Gemini: the real client, real sockets, a local server that answers well, badly, late or never."""

import json
import logging
import threading
import time

import pytest
from django.core.cache import cache

from diagnosis.assessment.explain import explain
from diagnosis.assessment.models import Explanation
from mlmodel.explanations import gemini as asking
from mlmodel.explanations.explained import SECTIONS, Source
from tests import gemini_server as server
from tests.gemini_server import KEY, Reply, candidates, error, good, texts
from tests.hooks import wording

pytestmark = pytest.mark.django_db
ARABIC = "سرطان الجلد الميلانيني هو ورم خبيث ينشأ من الخلايا الصبغية"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(asking, "FIRST_PAUSE_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def _nothing_secret_in_the_logs(caplog):
    caplog.set_level(logging.DEBUG)
    yield
    records = caplog.get_records("call")
    assert KEY not in " ".join(record.getMessage() for record in records)
    assert KEY not in repr([record.__dict__ for record in records])


def assert_the_library_answers(explained):
    assert explained.source == Source.LIBRARY
    assert explained.model_name is None
    assert set(explained.sections) == set(SECTIONS)
    assert not Explanation.objects.exists()


# --- It answers ------------------------------------------------------------------------------------------------


def test_gemini_writes_and_is_named(gemini, settings):
    gemini.play(good("Far away"))

    explained = explain(code="mel")

    assert explained.source == Source.GEMINI
    assert explained.model_name == settings.GEMINI_MODEL
    assert list(explained.sections) == list(SECTIONS)
    assert explained.sections["causes"] == "Far away, about causes.\n\n• One thing\n• Another"
    assert explained.sources == explain(code="mel", reading_level="patient", ask=False).sources
    kept = Explanation.objects.get()
    assert (kept.code, kept.language, kept.reading_level, kept.model_name) == (
        "mel",
        "en",
        "patient",
        settings.GEMINI_MODEL,
    )


def test_what_was_written_once_is_not_asked_again(gemini):
    first = explain(code="mel")
    second = explain(code="mel", ask=False)

    assert first == second
    assert len(gemini.requests) == 1


@pytest.mark.parametrize(
    "other", [{"code": "nv"}, {"language": "de"}, {"reading_level": "clinician"}, {"model": "gemini-other"}]
)
def test_each_condition_language_level_and_model_is_kept_apart(gemini, settings, other):
    explain(code="mel")
    settings.GEMINI_MODEL = other.pop("model", settings.GEMINI_MODEL)

    explain(**{"code": "mel", **other})

    assert len(gemini.requests) == 2
    assert Explanation.objects.count() == 2


def test_in_english_how_soon_is_said_in_the_librarys_words(gemini):
    gemini.play(good(urgency="No need to see anyone, ever."))

    assert explain(code="mel").urgency == wording("See a dermatologist within two weeks.")


def test_in_another_language_all_is_said_in_that_language(gemini):
    gemini.play(candidates(json.dumps(dict.fromkeys(texts(), ARABIC))))

    explained = explain(code="mel", language="ar")

    assert (explained.language, explained.urgency, explained.direction) == ("ar", ARABIC, "rtl")


def test_an_answer_in_several_parts_is_joined(gemini):
    whole = json.dumps(texts())
    gemini.play(candidates(whole[:100], whole[100:]))

    assert explain(code="mel").source == Source.GEMINI


def test_markdown_is_tidied_and_html_is_never_trusted(gemini):
    gemini.play(good(causes="**Sunlight** is the main cause.\r\n\r\n\r\n\n* Sunbeds\n- Genes"))

    assert explain(code="mel").sections["causes"] == "Sunlight is the main cause.\n\n• Sunbeds\n• Genes"


def test_it_asks_for_json_by_a_schema_that_requires_every_section(gemini, settings):
    explain(code="mel", language="de", reading_level="clinician")

    request = gemini.requests[0]
    config = request.json["generationConfig"]
    assert request.line == f"POST /v1beta/models/{settings.GEMINI_MODEL}:generateContent HTTP/1.1"
    assert config["responseMimeType"] == "application/json"
    assert config["responseSchema"]["type"] == "OBJECT"
    assert config["responseSchema"]["required"] == ["urgency", *SECTIONS]
    assert "Language: German (de)" in request.words
    assert "Condition: Melanoma" in request.words
    assert "dermatologist" in request.words


# --- It does not -----------------------------------------------------------------------------------------------


def test_without_a_key_nobody_is_asked(gemini, settings):
    settings.GEMINI_API_KEY = ""

    assert_the_library_answers(explain(code="mel"))
    assert gemini.requests == []


def test_when_told_not_to_ask_nobody_is_asked(gemini):
    assert_the_library_answers(explain(code="mel", ask=False))
    assert gemini.requests == []


@pytest.mark.parametrize("trouble", [server.RATE_LIMITED, server.BROKEN, server.OVERLOADED, error(504, "X")])
def test_passing_trouble_is_tried_again(gemini, trouble):
    gemini.play(trouble, trouble, good())

    assert explain(code="mel").source == Source.GEMINI
    assert len(gemini.requests) == 3


@pytest.mark.parametrize("trouble", [server.RATE_LIMITED, server.BROKEN])
def test_lasting_trouble_is_given_up(gemini, settings, trouble):
    gemini.play(trouble)

    assert_the_library_answers(explain(code="mel"))
    assert len(gemini.requests) == settings.GEMINI_ATTEMPTS == 3


def test_pauses_grow_and_never_outlast_the_deadline(gemini, settings, monkeypatch):
    monkeypatch.setattr(asking, "FIRST_PAUSE_SECONDS", 60)
    gemini.play(server.RATE_LIMITED)

    began = time.monotonic()
    assert_the_library_answers(explain(code="mel"))

    assert len(gemini.requests) == 1
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "refusal",
    [
        error(400, "INVALID_ARGUMENT", f"API key not valid: {KEY}. Please pass a valid API key."),
        error(403, "PERMISSION_DENIED", f"Key {KEY} is not allowed."),
        error(404, "NOT_FOUND"),
        Reply(status=301, body=b"moved"),
    ],
)
def test_a_refusal_is_not_tried_again(gemini, refusal):
    gemini.play(refusal)

    assert_the_library_answers(explain(code="mel"))
    assert len(gemini.requests) == 1


def test_the_guard_of_the_logs_can_fail(caplog):
    """The check after each test reads records like this one."""
    logging.getLogger("x").debug("header %r", KEY)

    assert KEY in " ".join(record.getMessage() for record in caplog.get_records("call"))
    caplog.clear()


def test_the_log_says_what_failed(gemini, caplog):
    gemini.play(error(403, "PERMISSION_DENIED", f"Key {KEY}"))

    explain(code="mel", language="fr")

    assert "Gemini did not explain mel (fr, patient): HTTP 403 PERMISSION_DENIED" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("late", [server.HANGING, Reply(body=good().body, drips=True)], ids=["hangs", "drips"])
def test_the_deadline_holds(gemini, settings, late):
    settings.GEMINI_TIMEOUT_SECONDS = 1.5
    gemini.play(late)

    began = time.monotonic()
    assert_the_library_answers(explain(code="mel"))

    assert time.monotonic() - began < 8
    assert len(gemini.requests) == 1


@pytest.mark.slow
def test_what_was_left_behind_ends(gemini, settings):
    settings.GEMINI_TIMEOUT_SECONDS = 1.5
    gemini.play(Reply(body=good().body, drips=True))

    explain(code="mel")

    left = [thread for thread in threading.enumerate() if thread.name == "gemini"]
    for thread in left:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in left)


def test_no_time_at_all_is_no_crash(gemini, settings):
    settings.GEMINI_TIMEOUT_SECONDS = 0

    assert_the_library_answers(explain(code="mel"))


def test_nobody_listens(settings):
    settings.GEMINI_API_KEY = KEY
    settings.GEMINI_BASE_URL = "http://127.0.0.1:9"

    assert_the_library_answers(explain(code="mel"))


@pytest.mark.parametrize("key", [f"{KEY}\r\nHost: elsewhere", f"ключ{KEY}", f"{KEY} {KEY}", " \n"])
def test_a_key_that_no_header_can_hold(gemini, settings, key):
    settings.GEMINI_API_KEY = key

    assert_the_library_answers(explain(code="mel"))
    assert gemini.requests == []


def test_a_line_break_after_the_key_is_forgiven(gemini, settings):
    settings.GEMINI_API_KEY = f"{KEY}\n"

    assert explain(code="mel").source == Source.GEMINI


# --- It answers what cannot be shown ---------------------------------------------------------------------------

HALF = json.dumps(texts())[:200]
UNUSABLE = {
    "the prompt is blocked": server.BLOCKED_PROMPT,
    "the answer is blocked": server.BLOCKED_ANSWER,
    "recitation": candidates(json.dumps(texts()), finish="RECITATION"),
    "cut off": candidates(HALF, finish="MAX_TOKENS"),
    "half JSON": candidates(HALF),
    "no JSON": candidates("I would rather talk about the weather."),
    "fenced JSON": candidates(f"```json\n{json.dumps(texts())}\n```"),
    "a list": candidates(json.dumps([texts()])),
    "null": candidates("null"),
    "a section is missing": good(treatment=None),
    "a section too many": good(advertisement="Buy this cream, it will surely help you."),
    "a section is empty": good(treatment=""),
    "a section is blank": good(treatment=" \n " * 40),
    "a section is short": good(treatment="None."),
    "a section is a list": good(treatment=["Surgery, which is the main treatment."]),
    "a section is a number": good(treatment=5),
    "a section is null": candidates(json.dumps({**texts(), "treatment": None})),
    "a section is endless": good(treatment="word " * 2000),
    "HTML": good(causes="Sunlight, as <b>everybody</b> knows by now, is the cause."),
    "a script": good(causes="Sunlight is the main cause of this <script>alert(1)</script>"),
    "entities": good(causes="Sunlight is the main cause of this &lt;b&gt; condition."),
    "a link": good(treatment="Read all about the treatment at https://cure.example/now"),
    "a Markdown link": good(treatment="Read all about the [treatment](//cure.example/now)"),
    "NUL": good(causes="Sunlight is the main cause\u0000 of this condition."),
    "half a character": candidates(json.dumps({**texts(), "causes": "Sunlight is the main cause \ud83d of this."})),
    "reversed text": good(causes="Sunlight is the main cause \u202eof this condition."),
    "the wrong language": candidates(json.dumps(dict.fromkeys(texts(), ARABIC))),
    "no candidates": server.reply_with({"candidates": []}),
    "no parts": server.reply_with({"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}),
    "no text": candidates("", finish="STOP"),
    "an empty object": server.reply_with({}),
}
JUNK = {
    "an HTML page": Reply(body=b"<!doctype html><h1>Sign in to the hotel's network</h1>", media_type="text/html"),
    "an HTML page with 502": Reply(status=502, body=b"<h1>Bad gateway</h1>", media_type="text/html"),
    "an HTML page with 403": Reply(status=403, body=b"<h1>Forbidden</h1>", media_type="text/html"),
    "an empty body": Reply(body=b""),
    "a bare list": Reply(body=b"[]"),
    "a bare word": Reply(body=b'"hello"'),
    "wrong types": server.reply_with({"candidates": "none"}),
    "broken UTF-8": Reply(body=b"\xff\xfe\x00{"),
    "an unknown state": candidates(json.dumps(texts()), finish="DANCING"),
}


@pytest.mark.parametrize("reply", [pytest.param(reply, id=name) for name, reply in UNUSABLE.items()])
def test_what_cannot_be_shown_is_not_shown_and_not_asked_again(gemini, reply):
    gemini.play(reply)

    assert_the_library_answers(explain(code="mel"))
    assert_the_library_answers(explain(code="mel"))
    assert len(gemini.requests) == 1


@pytest.mark.parametrize("reply", [pytest.param(reply, id=name) for name, reply in JUNK.items()])
def test_junk_is_not_shown(gemini, reply):
    gemini.play(reply)

    assert_the_library_answers(explain(code="mel"))


def test_english_is_not_taken_for_hindi(gemini):
    gemini.play(good())

    assert_the_library_answers(explain(code="mel", language="hi"))


# --- The circuit-breaker -----------------------------------------------------------------------------------------


def test_after_three_failures_in_a_row_asking_rests(gemini):
    gemini.play(error(403, "PERMISSION_DENIED"))

    for code in ("mel", "bcc", "nv", "df", "bkl"):
        assert_the_library_answers(explain(code=code))

    assert len(gemini.requests) == 3


def test_after_the_rest_it_asks_again(gemini):
    gemini.play(*[error(403, "PERMISSION_DENIED")] * 3, good())
    for code in ("mel", "bcc", "nv"):
        explain(code=code)
    assert explain(code="df").source == Source.LIBRARY

    cache.delete("explanations:resting")  # What a minute does.

    assert explain(code="df").source == Source.GEMINI


def test_a_success_between_failures_starts_the_count_anew(gemini):
    refused = error(403, "PERMISSION_DENIED")
    gemini.play(refused, refused, good(), refused, refused, good())

    for code in ("mel", "bcc", "nv", "df", "bkl", "vasc"):
        explain(code=code)

    assert len(gemini.requests) == 6


def test_a_blocked_condition_does_not_stop_the_others(gemini):
    gemini.play(server.BLOCKED_PROMPT, good())
    explain(code="mel")

    assert explain(code="nv").source == Source.GEMINI
    assert explain(code="mel").source == Source.LIBRARY
    assert len(gemini.requests) == 2
