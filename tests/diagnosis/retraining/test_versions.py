"""The pages of the versions: who sees them, who decides there, and what a form that is wrong is told."""

import pytest
from django.test import Client
from django.urls import reverse

from diagnosis.retraining.models import VersionProposal
from mlmodel.versions.models import Decision
from mlmodel.versions.promotion import promote_version
from mlmodel.versions.serving import active_version
from tests.candidates import candidate
from tests.factories import ClinicFactory, UserFactory
from tests.hooks import coded, codes, error_codes

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(dermatologist):
    client = Client()
    client.force_login(dermatologist.user)
    return client


def page_of(version) -> str:
    return reverse("version", args=[version.pk])


def test_the_list_names_the_shipped_network_and_how_it_came(reader):
    page = reader.get(reverse("versions")).content.decode()
    assert active_version().name in page
    assert "Came with the software" in page
    assert "Not evaluated" in page


def test_a_candidate_is_shown_with_what_the_gate_said(reader):
    page = reader.get(page_of(candidate())).content.decode()
    assert "Balanced accuracy changed by +0.020." in page
    assert "0.810" in page
    assert "Leans towards mel." in page


def test_a_dermatologist_promotes_with_a_reason(reader, dermatologist):
    version = candidate()
    response = reader.post(page_of(version), {"reason": "It finds more melanomas."}, follow=True)

    assert response.status_code == 200
    assert "now_active" in codes(response.content.decode())
    decision = Decision.objects.get(version=version)
    assert (decision.kind, decision.by, decision.reason) == (
        "promote",
        dermatologist.user,
        "It finds more melanomas.",
    )
    assert active_version() == version


@pytest.mark.parametrize("number", ["0", "9" * 9, "9" * 21, "9" * 400])
def test_a_number_of_no_version_is_not_found(reader, number):
    proposal = "6f1c43bb-8d0e-4f13-9a4e-3f3c7c4c3f6d"
    assert reader.get(f"/network/versions/{number}/").status_code == 404
    assert reader.post(f"/network/versions/{number}/proposals/{proposal}/", {"answer": "approve"}).status_code == 404


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_without_a_proper_reason_nothing_is_decided(reader, reason):
    version = candidate()
    response = reader.post(page_of(version), {"reason": reason})
    assert response.status_code == 400
    assert "error-summary" in response.content.decode()
    assert active_version() != version


def test_what_is_held_back_needs_the_box_ticked(reader):
    version = candidate(verdict="hold")
    refused = reader.post(page_of(version), {"reason": "I trust it."})
    assert refused.status_code == 400
    assert error_codes(refused) == {"force": ["required"]}

    reader.post(page_of(version), {"reason": "I trust it.", "force": "on"})
    assert VersionProposal.objects.get(version=version).state == "waiting", "and a second person"
    assert active_version() != version


def test_what_was_rejected_offers_nothing_to_decide(reader):
    version = candidate(verdict="reject")
    page = reader.get(page_of(version)).content.decode()
    assert "cannot_be_promoted" in codes(page)
    assert "<textarea" not in page
    assert reader.post(page_of(version), {"reason": "All the same.", "force": "on"}).status_code == 302
    assert active_version() != version


def test_one_click_goes_back(reader):
    shipped, version = active_version(), candidate()
    reader.post(page_of(version), {"reason": "Better."})
    reader.post(page_of(shipped), {"reason": "It was not."})
    assert active_version() == shipped


@pytest.mark.parametrize("role", ["staff", "manager"])
def test_others_read_and_do_not_decide(role, request):
    member, version = request.getfixturevalue(role), candidate()
    client = Client()
    client.force_login(member.user)
    assert "<textarea" not in client.get(page_of(version)).content.decode()
    assert client.post(page_of(version), {"reason": "Better."}).status_code == 403
    assert active_version() != version


def test_a_version_that_there_is_not_is_404(reader):
    assert reader.get(reverse("version", args=[99999])).status_code == 404


def test_the_pages_hold_with_a_retrained_network_too(reader, photograph):
    """What states figures of the shipped network does not state them of another."""
    reader.post(page_of(candidate()), {"reason": "Better."})
    for name in ("network", "about", "versions", "home"):
        assert reader.get(reverse(name)).status_code == 200
    assert reader.get(reverse("network-report")).status_code == 404


@pytest.mark.slow
def test_the_history_is_a_pdf(reader):
    reader.post(page_of(candidate()), {"reason": "It finds more melanomas."})
    response = reader.get(reverse("version-history"))
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-1.7")


def test_the_admin_leads_to_where_it_is_decided(admin_client):
    version = candidate()

    page = admin_client.get(reverse("admin:mlmodel_modelversion_change", args=[version.pk])).content.decode()

    assert reverse("version", args=[version.pk]) in page


@pytest.fixture
def operator():
    """Somebody who runs the installation, of no clinic."""
    client = Client()
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    return client


def test_an_operator_without_a_clinic_promotes_and_rolls_back(operator):
    shipped, version = active_version(), candidate()
    assert "may_be_promoted" in codes(operator.get(page_of(version)).content.decode())

    assert operator.post(page_of(version), {"reason": "Asked by the board."}).status_code == 302
    assert active_version() == version
    assert operator.post(page_of(shipped), {"reason": "The board thought again."}).status_code == 302
    assert active_version() == shipped


def test_where_operators_decide_a_dermatologist_reads_and_cannot(reader, operator, settings):
    settings.OPERATORS_DECIDE_ON_VERSIONS = True
    version = candidate()
    page = reader.get(page_of(version)).content.decode()
    assert "Leans towards mel." in page
    assert "may_be_promoted" not in codes(page)

    refused = reader.post(page_of(version), {"reason": "I know better."})
    assert refused.status_code == 403
    assert active_version() != version
    assert operator.post(page_of(version), {"reason": "Asked by the board."}).status_code == 302
    assert active_version() == version


def test_whoever_decides_for_several_clinics_is_told(reader):
    version = candidate()
    assert "shared_by_all_clinics" not in codes(reader.get(page_of(version)).content.decode())
    ClinicFactory()
    assert "2" in coded(reader.get(page_of(version)), "shared_by_all_clinics")


def test_the_way_back_is_on_the_list(sign_in, dermatologist, staff):
    shipped, version = active_version(), candidate()
    client = sign_in(dermatologist)
    assert "roll_back" not in codes(client.get(reverse("versions")).content.decode())
    promote_version(version=version, by=dermatologist.user, reason="Better.")
    page = client.get(reverse("versions")).content.decode()
    assert shipped.name in coded(page, "roll_back")
    assert "roll_back" not in codes(sign_in(staff).get(reverse("versions")).content.decode())
