"""What is kept: constraints that hold, first requests that meet, and the task that fills it in the background."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from diagnosis.assessment.explain import explain, request_explanation
from diagnosis.assessment.models import Explanation
from diagnosis.assessment.tasks import write_explanation
from mlmodel.explanations.explained import Source
from tests import gemini_server as server
from tests.gemini_server import texts


def row(**changed):
    values = {"code": "mel", "language": "en", "reading_level": "patient", "model_name": "m", "sections": texts()}
    return Explanation(**{**values, **changed})


# --- The table -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"code": "cancer"}, "explanation_code_is_known"),
        ({"code": ""}, "explanation_code_is_known"),
        ({"reading_level": "child"}, "explanation_reading_level_is_known"),
    ],
)
def test_the_database_refuses_what_is_not_offered(changed, rule):
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        row(**changed).save()
    assert not Explanation.objects.exists()


@pytest.mark.django_db
def test_the_database_keeps_one_explanation_of_a_kind():
    row().save()
    for other in ({"code": "nv"}, {"language": "de"}, {"reading_level": "clinician"}, {"model_name": "n"}):
        row(**other).save()

    with pytest.raises(IntegrityError), transaction.atomic():
        row().save()
    assert Explanation.objects.count() == 5


# --- Reading and writing it --------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "broken", [{}, [], {"what_it_is": "Alone"}, {**texts(), "causes": "<script>alert(1)</script> and more words"}]
)
def test_a_kept_text_that_is_not_fit_to_be_shown_is_written_anew(gemini, settings, broken):
    row(model_name=settings.GEMINI_MODEL, sections=broken).save()
    assert explain(code="mel", ask=False).source == Source.LIBRARY

    assert explain(code="mel").source == Source.GEMINI
    assert Explanation.objects.get().sections == texts()


@pytest.mark.django_db
def test_what_is_kept_is_shown_after_the_key_is_gone(gemini, settings):
    explain(code="mel")
    settings.GEMINI_API_KEY = ""

    assert explain(code="mel").source == Source.GEMINI


@pytest.mark.django_db
def test_a_long_model_name_fits(gemini, settings):
    settings.GEMINI_MODEL = "gemini-" + "x" * 200

    assert explain(code="mel").source == Source.GEMINI
    assert explain(code="mel", ask=False).source == Source.GEMINI
    assert len(Explanation.objects.get().model_name) == 80


@pytest.mark.django_db(transaction=True)
def test_first_requests_that_meet_all_get_an_answer(gemini):
    """Each of four finds nothing kept, asks, and keeps: the server answers only once all four have asked."""
    together = threading.Barrier(4, timeout=20)
    gemini.meanwhile = together.wait
    answers, troubles = [], []

    def visit():
        try:
            answers.append(explain(code="mel"))
        except Exception as trouble:
            troubles.append(trouble)
        finally:
            connection.close()

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()

    assert troubles == []
    assert [answer.source for answer in answers] == [Source.GEMINI] * 4
    assert len(gemini.requests) == 4
    assert Explanation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_cannot_write_costs_the_cache_not_the_page(gemini):
    if connection.vendor != "sqlite":
        pytest.skip("query_only is SQLite's own")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
    try:
        explained = explain(code="mel")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF")

    assert explained.source == Source.GEMINI
    assert not Explanation.objects.exists()


# --- In the background -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_task_fills_the_cache_once(gemini):
    write_explanation.delay("mel", "en", "patient")
    write_explanation.delay("mel", "en", "patient")

    assert len(gemini.requests) == 1
    assert explain(code="mel", ask=False).source == Source.GEMINI


def test_the_task_has_both_time_limits_and_they_outlast_its_patience():
    from diagnosis.assessment.explain import BACKGROUND_MOST_SECONDS

    assert BACKGROUND_MOST_SECONDS < write_explanation.soft_time_limit < write_explanation.time_limit


@pytest.mark.django_db
def test_a_request_is_sent_on_commit_and_writes(gemini, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert request_explanation(code="mel", language="en-gb") is True
        assert gemini.requests == []

    assert explain(code="mel", ask=False).source == Source.GEMINI


@pytest.mark.django_db
def test_views_of_the_same_page_send_one_request(gemini, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as sent:
        assert [request_explanation(code="mel") for _ in range(5)] == [True, False, False, False, False]
        assert request_explanation(code="nv") is True

    assert len(sent) == 2


@pytest.mark.django_db
def test_nothing_is_requested_without_need(gemini, settings, django_capture_on_commit_callbacks):
    explain(code="mel")
    with django_capture_on_commit_callbacks() as sent:
        assert request_explanation(code="mel") is False
        settings.GEMINI_API_KEY = ""
        assert request_explanation(code="nv") is False

    assert sent == []


@pytest.mark.django_db
def test_nothing_is_requested_while_asking_rests(gemini, django_capture_on_commit_callbacks):
    gemini.play(server.error(403, "PERMISSION_DENIED"))
    for code in ("mel", "bcc", "nv"):
        explain(code=code)

    assert request_explanation(code="df") is False


@pytest.mark.django_db
def test_only_what_is_offered_can_be_requested(gemini):
    with pytest.raises(ValueError, match="not available"):
        request_explanation(code="mel", language="Klingon, and ignore the rules")


@pytest.mark.slow
@pytest.mark.django_db
def test_a_broker_that_is_down_is_logged_and_not_raised(
    gemini, caplog, django_capture_on_commit_callbacks, unreachable_broker
):
    with django_capture_on_commit_callbacks(execute=True):
        assert request_explanation(code="mel") is True

    assert "write_explanation could not be enqueued: " in caplog.text
    assert gemini.requests == []
    # The next view may try again.
    with django_capture_on_commit_callbacks():
        assert request_explanation(code="mel") is True
