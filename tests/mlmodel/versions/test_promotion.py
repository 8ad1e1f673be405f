"""A person decides which network answers: what is refused, what is kept, and what never mixes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connections, transaction

from mlmodel.network.analyser import Analyser, get_analyser
from mlmodel.pictures.picture import Picture, decode
from mlmodel.versions.models import CannotBeChanged, Decision, DecisionKind, ModelVersion, ModelVersionStatus
from mlmodel.versions.promotion import PromotionRefused, promote_version, register_candidate, roll_back
from mlmodel.versions.serving import active_analyser, active_version, analyser_of, now_serving
from tests.candidates import candidate, judged
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return UserFactory()


def test_a_candidate_answers_nobody_until_it_is_promoted(user, photograph):
    version = candidate()
    assert active_analyser() is get_analyser()

    decision = promote_version(version=version, by=user, reason="  Better at\n melanoma. ")

    assert active_version() == version
    assert decision.kind == DecisionKind.PROMOTE
    assert decision.reason == "Better at melanoma."
    assert decision.by == user
    assert decision.replaced is not None
    assert decision.replaced.sha256 == get_analyser().sha256
    found = active_analyser().analyse(decode(photograph)).assessment
    assert found is not None
    assert found.code == "mel"
    assert found.probabilities["mel"] > 0.9
    assert active_analyser().engine is get_analyser().engine
    # Drift is a matter of the backbone: it is noticed with a retrained head too.
    assert active_analyser().outlier_threshold == get_analyser().outlier_threshold is not None


def test_one_version_is_active_and_the_one_before_is_retired(user):
    shipped = active_version()
    promote_version(version=candidate(), by=user, reason="Better.")

    shipped.refresh_from_db()
    assert shipped.status == ModelVersionStatus.RETIRED
    assert ModelVersion.objects.filter(status=ModelVersionStatus.ACTIVE).count() == 1


def test_going_back_is_one_decision_and_can_be_undone(user):
    shipped, version = active_version(), candidate()
    promote_version(version=version, by=user, reason="Better.")

    roll_back(to=shipped, by=user, reason="Too many alarms.")
    assert active_analyser() is get_analyser()
    roll_back(to=version, by=user, reason="They were right after all.")

    assert active_version() == version
    kinds = list(Decision.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["ship", "promote", "roll_back", "roll_back"]


@pytest.mark.parametrize("reason", ["", "   \n "])
def test_a_decision_without_a_reason_is_refused(user, reason):
    version = candidate()
    with pytest.raises(PromotionRefused, match="Give "):
        promote_version(version=version, by=user, reason=reason)
    assert active_version() != version


def test_what_is_held_back_is_promoted_only_by_force_and_marked(user):
    version = candidate(verdict="hold")
    with pytest.raises(PromotionRefused) as refused:
        promote_version(version=version, by=user, reason="I trust it.")
    assert refused.value.code == "held_by_gate"
    assert active_version() != version

    with pytest.raises(PromotionRefused) as refused:
        promote_version(version=version, by=user, reason="I trust it.", force=True)
    assert refused.value.code == "needs_second_person"
    decision = promote_version(version=version, by=user, reason="I trust it.", force=True, seconded_by=UserFactory())
    assert decision.kind == DecisionKind.FORCE


def test_force_is_not_noted_where_none_was_needed(user):
    assert promote_version(version=candidate(), by=user, reason="Better.", force=True).kind == DecisionKind.PROMOTE


@pytest.mark.parametrize("force", [False, True])
def test_what_is_shown_to_be_worse_cannot_be_promoted_at_all(user, force):
    version = candidate(verdict="reject")
    with pytest.raises(PromotionRefused) as refused:
        promote_version(version=version, by=user, reason="All the same.", force=force)
    assert refused.value.code == "rejected_by_gate"
    assert active_version() != version


def test_a_candidate_that_was_judged_against_another_version_is_refused(user):
    first, second = candidate(leaning="mel"), candidate(leaning="nv")
    promote_version(version=first, by=user, reason="Better.")

    with pytest.raises(PromotionRefused) as refused:
        promote_version(version=second, by=user, reason="Better still.")
    assert refused.value.code == "compared_with_another"
    assert active_version() == first


def test_nobody_goes_back_to_what_never_answered_or_answers_now(user):
    version = candidate()
    with pytest.raises(PromotionRefused) as refused:
        roll_back(to=version, by=user, reason="Why not.")
    assert refused.value.code == "never_active"
    with pytest.raises(PromotionRefused) as refused:
        roll_back(to=active_version(), by=user, reason="Why not.")
    assert refused.value.code == "already_active"


def test_nobody_goes_back_to_a_network_whose_files_are_gone(user):
    gone = ModelVersion.objects.create(
        name="old", sha256="0" * 64, backbone_sha256="1" * 64, head_sha256="2" * 64, card="", status="retired"
    )
    active_version()
    with pytest.raises(PromotionRefused) as refused:
        roll_back(to=gone, by=user, reason="It was good.")
    assert refused.value.code == "files_missing"


def test_a_head_never_runs_on_another_backbone(user):
    """A new release of the software came: what was retrained for the former backbone cannot answer any more."""
    version = candidate()
    promote_version(version=version, by=user, reason="Better.")
    ModelVersion.objects.filter(pk=version.pk).update(backbone_sha256="f" * 64)

    assert active_analyser() is get_analyser()
    assert active_version().sha256 == get_analyser().sha256
    assert Decision.objects.values_list("kind", flat=True).first() == DecisionKind.SHIP
    version.refresh_from_db()
    assert version.status == ModelVersionStatus.RETIRED


def test_the_same_head_is_kept_once():
    assert candidate() == candidate()


def test_what_cannot_answer_is_not_kept():
    with pytest.raises(Exception, match=r".+"):
        register_candidate(parent=active_version(), head=b"no head", settings={}, card="", judgement=judged("promote"))
    assert not ModelVersion.objects.filter(parent__isnull=False).exists()


def test_a_version_and_a_decision_are_kept_as_they_were_made(user):
    version = candidate()
    version.card = "Another card."
    with pytest.raises(CannotBeChanged):
        version.save()
    decision = promote_version(version=version, by=user, reason="Better.")
    with pytest.raises(CannotBeChanged):
        decision.save()
    with pytest.raises(CannotBeChanged):
        decision.delete()


@pytest.mark.parametrize(
    "values",
    [
        {"reason": ""},
        {"kind": "whim"},
        {"by": None},
        {"replaced": None},
        {"kind": "ship"},
    ],
)
def test_the_database_refuses_a_decision_that_cannot_be(user, values):
    shipped, version = active_version(), candidate()
    whole = {"version": version, "replaced": shipped, "kind": "promote", "by": user, "reason": "Better."}
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(**(whole | values))


@pytest.mark.parametrize("values", [{"parent": None}, {"judgement": None}, {"status": "maybe"}, {"status": "active"}])
def test_the_database_refuses_a_version_that_cannot_be(values):
    active_version()
    version = candidate()
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=version.pk).update(**values)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_do_so_one_after_the_other():
    user, first, second = UserFactory(), candidate(leaning="mel"), candidate(leaning="nv")
    together = threading.Barrier(2)

    def decide(version: ModelVersion) -> str:
        together.wait()
        try:
            return promote_version(version=version, by=user, reason="Better.").kind
        except PromotionRefused as refused:
            return refused.message
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(decide, [first, second]))

    assert said.count("promote") == 1
    assert Decision.objects.exclude(kind="ship").count() == 1


def said_by(analyser: Analyser, picture: Picture) -> dict[str, float]:
    assessment = analyser.analyse(picture).assessment
    assert assessment is not None
    return assessment.probabilities


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_switch_under_load_fails_no_answer_and_mixes_no_versions(photograph):
    """Threads ask all the time while versions change: each answer is wholly one version's."""
    user, shipped, version = UserFactory(), active_version(), candidate()
    picture = decode(photograph)
    expected = {each.pk: said_by(analyser_of(each), picture) for each in (shipped, version)}
    stop = threading.Event()

    def ask() -> list[tuple[int, dict[str, float]]]:
        said = []
        try:
            while not stop.is_set():
                serving = now_serving()
                said.append((serving.version.pk, said_by(serving.analyser, picture)))
        finally:
            connections.close_all()
        return said

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        try:
            promote_version(version=version, by=user, reason="Better.")
            for target in (shipped, version, shipped, version):
                roll_back(to=target, by=user, reason="Back and forth.")
        finally:
            threading.Event().wait(1.0)
            stop.set()
        answers = [answer for future in asking for answer in future.result()]

    assert {key for key, _ in answers} >= {version.pk}
    for key, probabilities in answers:
        assert probabilities == pytest.approx(expected[key], abs=1e-6)
