"""Versions with an exit flow of their own: how they are kept, and what answers when they are spoilt."""

import gc
import hashlib
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connections, transaction
from django.db.models import ProtectedError

from mlmodel import serving
from mlmodel.analysis import get_analyser
from mlmodel.exit_flow import ExitFlowError
from mlmodel.models import CannotBeChanged, ModelVersion, StoredExit
from mlmodel.promotion import PromotionRefused, promote_version, roll_back
from mlmodel.release import ReleaseError
from mlmodel.serving import active_analyser, active_version, analyser_of, can_serve, now_serving
from tests.candidates import candidate, louder_exit_flow
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(scope="module")
def louder():
    return louder_exit_flow()


def test_heads_over_one_exit_flow_share_it_and_its_engine(louder):
    first, second, plain = candidate(exit_flow=louder), candidate(exit_flow=louder, leaning="nv"), candidate()

    kept = StoredExit.objects.get()
    assert (first.exit, second.exit, plain.exit) == (kept, kept, None)
    assert kept.sha256 == hashlib.sha256(bytes(kept.content)).hexdigest()
    assert len({first.sha256, second.sha256, plain.sha256}) == 3
    assert analyser_of(first).engine is analyser_of(second).engine is not get_analyser().engine
    assert analyser_of(plain).engine is get_analyser().engine


def test_it_answers_once_promoted_and_no_longer_after_going_back(louder):
    shipped, user = active_version(), UserFactory()
    promote_version(version=candidate(exit_flow=louder), by=user, reason="Better.")
    assert active_analyser().exit_sha256 == hashlib.sha256(louder).hexdigest()
    roll_back(to=shipped, by=user, reason="Too many alarms.")
    assert active_analyser() is get_analyser()


def test_which_version_answers_is_asked_without_reading_megabytes(louder, django_assert_num_queries):
    promote_version(version=candidate(exit_flow=louder), by=UserFactory(), reason="Better.")
    active_analyser()
    with django_assert_num_queries(1) as asked:
        active_analyser()
    assert "content" not in asked[0]["sql"]


@pytest.mark.parametrize("content", [b"", b"nothing of the kind"])
def test_what_is_no_exit_flow_is_never_offered(content):
    active_version()
    with pytest.raises(ExitFlowError):
        candidate(exit_flow=content)
    assert not StoredExit.objects.exists()
    assert ModelVersion.objects.count() == 1


def test_an_exit_flow_that_was_altered_answers_nobody():
    content = louder_exit_flow(by=0.25)  # one that no process has loaded yet
    version = candidate(exit_flow=content)
    StoredExit.objects.update(content=content[:-1] + b"!")
    with pytest.raises(ReleaseError, match="altered"):
        analyser_of(version)


def test_where_the_active_versions_exit_flow_is_altered_the_shipped_network_answers_again(photograph):
    content = louder_exit_flow(by=0.125)
    version, user = candidate(exit_flow=content), UserFactory()
    promote_version(version=version, by=user, reason="Better.")
    active_version()
    _forget_what_is_loaded()
    StoredExit.objects.update(content=content[:-1] + b"!")

    assert now_serving().analyser is get_analyser()
    assert active_version().sha256 == get_analyser().sha256
    assert not can_serve(version)
    with pytest.raises(PromotionRefused, match="needs files"):
        roll_back(to=version, by=user, reason="Again.")
    _forget_what_is_loaded()


def test_a_candidate_that_cannot_answer_is_not_promoted():
    content = louder_exit_flow(by=0.0625)
    version = candidate(exit_flow=content)
    _forget_what_is_loaded()
    StoredExit.objects.update(content=content[:-1] + b"!")
    with pytest.raises(PromotionRefused, match="missing or was altered"):
        promote_version(version=version, by=UserFactory(), reason="Better.")


def test_no_more_engines_stay_than_are_said_to(louder):
    versions = [candidate(exit_flow=louder_exit_flow(by=1.0 + number)) for number in range(4)]
    engines = [weakref.ref(analyser_of(version).engine) for version in versions]
    gc.collect()
    assert len(serving._engines) == serving._ENGINES_KEPT
    assert sum(engine() is not None for engine in engines) == serving._ENGINES_KEPT, "and nobody else holds one"


def test_what_a_version_once_said_is_read_without_its_engine(louder):
    version = candidate(exit_flow=louder)
    assert can_serve(version)
    serving._engines.clear()
    assert analyser_of(version).calibration.temperature > 0
    assert not serving._engines


def test_an_exit_flow_that_is_restored_can_be_run_again(monkeypatch):
    content = louder_exit_flow(by=0.03125)
    version = candidate(exit_flow=content)
    _forget_what_is_loaded()
    StoredExit.objects.update(content=content[:-1] + b"!")
    assert not can_serve(version)
    StoredExit.objects.update(content=content)
    assert not can_serve(version), "it is not tried with every question"
    monkeypatch.setattr(serving, "_TRY_AGAIN_SECONDS", 0.0)
    assert can_serve(version)
    _forget_what_is_loaded()


def _forget_what_is_loaded():
    """As in a process that begins."""
    for kept in (serving._engines, serving._analysers, serving._runs):
        kept.clear()


def test_exit_flows_are_kept_for_good(louder):
    candidate(exit_flow=louder)
    kept = StoredExit.objects.get()
    with pytest.raises(CannotBeChanged):
        kept.save()
    with pytest.raises(CannotBeChanged):
        kept.delete()
    with pytest.raises(ProtectedError):
        StoredExit.objects.all().delete()


def test_what_was_shipped_has_no_exit_flow_of_its_own(louder):
    candidate(exit_flow=louder)
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(parent=None).update(exit=StoredExit.objects.get())


@pytest.mark.parametrize("field", ["sha256", "backbone_sha256"])
def test_an_exit_flow_is_known_by_hashes(field):
    values = {"sha256": "a" * 64, "backbone_sha256": "b" * 64} | {field: "no hash"}
    with pytest.raises(IntegrityError), transaction.atomic():
        StoredExit.objects.create(content=b"", **values)


@pytest.mark.django_db(transaction=True)
def test_two_threads_that_ask_at_once_load_it_once(louder):
    version = candidate(exit_flow=louder, leaning="vasc")

    def ask(_number):
        try:
            return analyser_of(version).engine
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(map(id, pool.map(ask, range(4))))) == 1
