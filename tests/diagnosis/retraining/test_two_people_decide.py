"""Who may change the network for whom: one dermatologist, two people, two clinics, an operator."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from diagnosis.retraining.models import ProposalState, TrainingRun, VersionProposal
from diagnosis.retraining.proposals import ProposalRefused, approve, propose
from diagnosis.retraining.run_states import abandon_run
from mlmodel.versions.models import Decision, ModelVersionStatus
from mlmodel.versions.promotion import PromotionRefused, promote_version, roll_back
from mlmodel.versions.serving import active_version
from patients.models import Role
from tests import factories
from tests.candidates import candidate
from tests.hooks import codes, wording

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return factories.UserFactory(is_superuser=True, is_staff=True, first_name="Olga", last_name="Operator")


@pytest.fixture
def colleague(clinic):
    """Another dermatologist of the same clinic."""
    return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)


@pytest.fixture
def ask(sign_in):
    """Ask on the version's page that it answer."""

    def _ask(who, version, **more):
        return sign_in(who).post(reverse("version", args=[version.pk]), {"reason": "It finds more.", **more})

    return _ask


@pytest.fixture
def answer(sign_in):
    """Answer the newest proposal on its page."""

    def _answer(who, answer="approve"):
        proposal = VersionProposal.objects.all()[0]
        address = reverse("version-proposal", args=[proposal.version_id, proposal.pk])
        response = sign_in(who).post(address, {"answer": answer}, follow=True)
        proposal.refresh_from_db()
        return proposal, response

    return _answer


# --- One clinic ------------------------------------------------------------------------------------------------------


def test_forcing_what_is_held_back_takes_another_dermatologist(ask, answer, dermatologist, colleague):
    version = candidate(verdict="hold")
    assert ask(dermatologist, version, force="on").status_code == 302
    assert active_version() != version
    proposal, response = answer(dermatologist)
    assert (proposal.state, active_version() == version) == ("waiting", False), "one person is not two"
    assert "may_not_approve" in codes(response)

    proposal, _ = answer(colleague)
    assert proposal.state == ProposalState.APPROVED
    assert active_version() == version
    decision = Decision.objects.get(version=version)
    assert (decision.kind, decision.by, decision.seconded_by) == ("force", dermatologist.user, colleague.user)
    assert proposal.decision == decision


def test_two_accounts_of_one_address_are_one_person(ask, answer, dermatologist, colleague):
    version = candidate(verdict="hold")
    type(colleague.user).objects.filter(pk=colleague.user.pk).update(email=dermatologist.user.email.upper())
    ask(dermatologist, version, force="on")
    proposal, response = answer(colleague)
    assert (proposal.state, active_version() == version) == ("waiting", False)
    assert "may_not_approve" in codes(response)


def test_an_operator_is_a_second_person_and_needs_one_to_force(ask, answer, dermatologist, operator):
    first = candidate(verdict="hold")
    ask(operator, first, force="on")
    assert active_version() != first
    answer(dermatologist)
    assert active_version() == first


@pytest.mark.parametrize("role", ["staff", "manager"])
def test_others_approve_nothing(ask, sign_in, dermatologist, role, request):
    version = candidate(verdict="hold")
    ask(dermatologist, version, force="on")
    proposal = VersionProposal.objects.get()
    address = reverse("version-proposal", args=[version.pk, proposal.pk])
    assert sign_in(request.getfixturevalue(role)).post(address, {"answer": "approve"}).status_code == 403
    assert active_version() != version


def test_the_way_back_is_one_persons_and_returning_to_what_was_held_back_is_not(ask, answer, dermatologist, colleague):
    shipped, version = active_version(), candidate(verdict="hold")
    ask(dermatologist, version, force="on")
    answer(colleague)
    ask(colleague, shipped)
    assert active_version() == shipped, "in an emergency nobody waits"
    ask(dermatologist, version)
    assert active_version() == shipped
    answer(colleague)
    assert active_version() == version


def test_what_is_rejected_can_be_proposed_by_nobody(ask, dermatologist, operator):
    version = candidate(verdict="reject")
    for who in (dermatologist, operator):
        ask(who, version, force="on")
        with pytest.raises(PromotionRefused):
            propose(version=version, by=getattr(who, "user", who), reason="All the same.")
    assert not VersionProposal.objects.exists()


# --- Several clinics -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["promote", "hold"])
def test_one_clinic_does_not_change_the_network_for_the_others(
    ask, answer, dermatologist, colleague, stranger, verdict
):
    version = candidate(verdict=verdict)
    ask(dermatologist, version, force="on")
    assert active_version() != version
    proposal, response = answer(colleague)
    assert (proposal.state, active_version() == version) == ("waiting", False)
    assert "another clinic" in response.text

    proposal, _ = answer(stranger)
    assert active_version() == version
    assert (proposal.proposed_clinic, proposal.decided_clinic) == (dermatologist.clinic, stranger.clinic)


def test_whoever_may_agree_sees_on_the_list_that_something_waits(ask, answer, sign_in, dermatologist, stranger):
    version = candidate()
    ask(dermatologist, version)
    page = sign_in(stranger).get(reverse("versions")).text
    assert "proposal_waits" in codes(page)
    assert dermatologist.user.last_name not in page
    answer(stranger)
    assert "proposal_waits" not in codes(sign_in(stranger).get(reverse("versions")).text)


def test_the_way_of_an_operator_leads_to_the_network(sign_in, operator):
    home = sign_in(operator).get("/about/").text
    assert f'href="{reverse("network")}"' in home
    assert f'href="{reverse("admin:index")}"' in home


def test_going_back_takes_two_clinics_or_an_operator(ask, answer, dermatologist, stranger, operator):
    shipped, version = active_version(), candidate()
    ask(operator, version)
    assert active_version() == version
    ask(dermatologist, shipped)
    assert active_version() == version
    answer(stranger)
    assert active_version() == shipped
    ask(operator, version)
    assert active_version() == version


def test_a_clinic_that_was_opened_meanwhile_counts(ask, answer, dermatologist, colleague):
    version = candidate(verdict="hold")
    ask(dermatologist, version, force="on")
    assert VersionProposal.objects.get().needs == "person"
    factories.ClinicFactory()
    proposal, _ = answer(colleague)
    assert (proposal.state, active_version() == version) == ("waiting", False)


@pytest.mark.parametrize("fate", ["declined", "withdrawn"])
def test_a_proposal_is_declined_or_withdrawn(ask, answer, dermatologist, stranger, fate):
    version = candidate()
    ask(dermatologist, version)
    proposal, _ = answer(stranger if fate == "declined" else dermatologist, "decline")
    assert proposal.state == fate
    with pytest.raises(ProposalRefused):
        approve(proposal=proposal, by=stranger.user)
    ask(dermatologist, version)
    assert VersionProposal.objects.filter(state="waiting").count() == 1, "it may be proposed again"


@pytest.mark.parametrize("cause", ["time", "another_version", "left", "demoted"])
def test_a_proposal_lapses(ask, answer, dermatologist, stranger, operator, cause):
    version, rival = candidate(), candidate(leaning="nv")
    ask(dermatologist, version)
    if cause == "time":
        VersionProposal.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif cause == "another_version":
        ask(operator, rival)
    elif cause == "left":
        dermatologist.user.is_active = False
        dermatologist.user.save()
    else:
        dermatologist.role = Role.STAFF
        dermatologist.save()
    proposal, _ = answer(stranger)
    assert proposal.state == ProposalState.LAPSED
    assert proposal.answer
    assert active_version() != version


def test_a_proposal_made_while_the_clock_was_a_year_ahead_waits_no_year(ask, sign_in, dermatologist, settings):
    ask(dermatologist, candidate(verdict="hold"), force="on")
    VersionProposal.objects.update(expires_at=timezone.now() + timedelta(days=365))
    sign_in(dermatologist).get(reverse("versions"))
    assert VersionProposal.objects.get().expires_at <= timezone.now() + timedelta(days=settings.PROPOSAL_DAYS)


def test_one_proposal_of_a_version_waits(ask, dermatologist, stranger):
    version = candidate()
    ask(dermatologist, version)
    ask(stranger, version)
    assert VersionProposal.objects.count() == 1


def test_where_operators_decide_a_dermatologist_neither_proposes_nor_approves(
    ask, answer, sign_in, dermatologist, operator, settings
):
    settings.OPERATORS_DECIDE_ON_VERSIONS = True
    version = candidate(verdict="hold")
    assert ask(dermatologist, version, force="on").status_code == 403
    ask(operator, version, force="on")
    proposal = VersionProposal.objects.get()
    address = reverse("version-proposal", args=[version.pk, proposal.pk])
    assert sign_in(dermatologist).post(address, {"answer": "approve"}).status_code == 403
    answer(factories.UserFactory(is_superuser=True))
    assert active_version() == version


# --- The command -----------------------------------------------------------------------------------------------------


def test_the_operator_switches_from_the_command_line(operator, stranger):
    shipped, version = active_version(), candidate()
    call_command("switch_version", version.name, by=operator.username, reason="Better.", stdout=StringIO())
    assert active_version() == version
    call_command("switch_version", shipped.name, by=operator.username, reason="It was not.", stdout=StringIO())
    assert active_version() == shipped
    held = candidate(verdict="hold", leaning="nv")
    call_command("switch_version", held.name, by=operator.username, reason="I trust it.", stdout=StringIO())
    assert active_version() == shipped
    assert VersionProposal.objects.get().version == held


@pytest.mark.parametrize("who", ["nobody", "dermatologist", "a\0b"])
def test_the_command_is_the_operators(who, dermatologist):
    name = dermatologist.user.username if who == "dermatologist" else who
    with pytest.raises(CommandError):
        call_command("switch_version", candidate().name, by=name, reason="Better.")
    assert active_version().status == ModelVersionStatus.ACTIVE


def test_the_command_names_what_there_is(operator):
    active_version()
    with pytest.raises(CommandError, match="Available:"):
        call_command("switch_version", "none", by=operator.username, reason="Better.")


# --- The service and the database ------------------------------------------------------------------------------------


def test_the_service_forces_nothing_for_one_person(dermatologist):
    version = candidate(verdict="hold")
    for second in (None, dermatologist.user):
        with pytest.raises(PromotionRefused):
            promote_version(version=version, by=dermatologist.user, reason="Mine.", force=True, seconded_by=second)
    assert active_version() != version


def approved(dermatologist, by, **values):
    decision = Decision.objects.all()[0]
    return VersionProposal(
        version=decision.version,
        replaces=decision.version,
        reason="Better.",
        proposed_by=dermatologist.user,
        proposed_clinic=dermatologist.clinic,
        decided_by=by.user,
        decided_clinic=by.clinic,
        decided_at=timezone.now(),
        decision=decision,
        **{"needs": "clinic", "state": "approved", **values},
    )


@pytest.mark.parametrize(
    ("name", "who", "values"),
    [
        ("proposal_is_approved_by_somebody_else", "dermatologist", {"needs": "person"}),
        ("proposal_is_approved_by_another_clinic", "colleague", {}),
        ("approved_proposal_names_who", "stranger", {"state": "declined"}),
        ("proposal_that_is_over_has_a_time", "stranger", {"state": "waiting", "decision": None}),
        ("proposal_state_is_known", "stranger", {"state": "perhaps", "decision": None}),
        ("proposal_states_a_reason", "stranger", {"reason": ""}),
    ],
)
def test_the_database_refuses(request, dermatologist, name, who, values):
    active_version()
    row = approved(dermatologist, request.getfixturevalue(who))
    for field, value in values.items():
        setattr(row, field, value)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        row.save(force_insert=True)


def test_the_database_takes_what_two_clinics_have_approved(dermatologist, stranger):
    active_version()
    approved(dermatologist, stranger).save(force_insert=True)


def test_nobody_seconds_themselves_in_the_database(dermatologist):
    version = active_version()
    with pytest.raises(IntegrityError, match="seconded_by_somebody_else"), transaction.atomic():
        Decision.objects.create(
            version=version,
            replaced=version,
            kind="promote",
            by=dermatologist.user,
            seconded_by=dermatologist.user,
            reason="Mine.",
        )


# --- Names do not cross clinics --------------------------------------------------------------------------------------


def test_names_of_staff_do_not_cross_clinics(ask, answer, sign_in, dermatologist, colleague, stranger, operator):
    for user, name in ((dermatologist.user, "Delia Dermis"), (stranger.user, "Stefan Stratum")):
        user.first_name, user.last_name = name.split()
        user.save()
    shipped, version = active_version(), candidate()
    ask(dermatologist, version)
    page = reverse("version", args=[version.pk])
    assert "Delia" in sign_in(colleague).get(page).text
    assert "Delia" not in sign_in(stranger).get(page).text
    assert wording("a dermatologist of another clinic") in sign_in(stranger).get(page).text
    answer(stranger)
    roll_back(to=shipped, by=operator, reason="Too many alarms.")
    for address in (page, reverse("versions"), reverse("version", args=[shipped.pk])):
        for reader in (dermatologist, stranger):
            text = sign_in(reader).get(address).text
            own, other = ("Delia", "Stefan") if reader == dermatologist else ("Stefan", "Delia")
            assert other not in text
            assert "Olga" not in text
            assert own in text or address != page
        text = sign_in(operator).get(address).text
        assert address != page or ("Delia" in text and "Stefan" in text)


def test_a_run_names_nobody_of_another_clinic(sign_in, dermatologist, colleague, stranger):
    for user, name in ((dermatologist.user, "Delia Dermis"), (colleague.user, "Conrad Corium")):
        user.first_name, user.last_name = name.split()
        user.save()
    run = TrainingRun.objects.create(parent=active_version(), started_by=dermatologist.user)
    abandon_run(run.pk, why="Abandoned.", by=colleague.user)
    address = reverse("admin:retraining-run", args=[run.pk])
    own, other = sign_in(dermatologist).get(address).text, sign_in(stranger).get(address).text
    for name, username in (("Delia", dermatologist.user.username), ("Conrad", colleague.user.username)):
        assert name in own
        assert name not in other
        assert username not in other


def test_who_acknowledged_an_incident_is_a_colleague_or_nobody_by_name(sign_in, dermatologist, stranger):
    stranger.user.first_name, stranger.user.is_superuser = "Stefan", True
    stranger.user.save()
    incident = factories.IncidentFactory(clinic=dermatologist.clinic)
    sign_in(stranger).post(reverse("watch-acknowledge", args=[incident.pk]))
    text = sign_in(dermatologist).get(reverse("watch")).text
    assert wording("acknowledged by an operator") in text
    assert "Stefan" not in text
