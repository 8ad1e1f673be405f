from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.urls import NoReverseMatch, reverse

from patients.admin import scope
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_admin_does_not_reveal_other_clinics_records(sign_in, stranger, manager, patient):
    content_type = ContentType.objects.get_for_model(patient)
    for who in (stranger, manager):
        client = sign_in(who)
        for key in (patient.pk, "6f1c43bb-8d0e-4f13-9a4e-3f3c7c4c3f6d", "nonsense"):
            assert client.get(f"/admin/r/{content_type.pk}/{key}/").status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("admin:view_on_site", args=[content_type.pk, patient.pk])


def test_the_admin_links_to_the_page_of_a_record(sign_in, manager, patient):
    visit = factories.VisitFactory(patient=patient)
    lesion = factories.LesionFactory(patient=patient)
    client = sign_in(manager)
    for record in (patient, visit, lesion):
        change_page = reverse(f"admin:patients_{record._meta.model_name}_change", args=[record.pk])
        assert f'href="{record.get_absolute_url()}" class="viewsitelink"' in client.get(change_page).text


def test_no_model_admin_uses_the_removed_redirect():
    """Django's ``get_view_on_site_url`` would fail on each change page; ``RoleGate``'s does not."""
    for model, model_admin in admin.site._registry.items():
        if hasattr(model, "get_absolute_url"):
            record: Any = model()
            assert model_admin.get_view_on_site_url(record) == record.get_absolute_url(), model


@pytest.fixture
def operator(db):
    return factories.UserFactory(username="operator", is_staff=True, is_superuser=True)


def test_an_operator_can_remove_a_second_factor_but_not_read_it(sign_in, operator, staff):
    secret = "JBSWY3DPEHPK3PXP"
    row = Authenticator.objects.create(user=staff.user, type=Authenticator.Type.TOTP, data={"secret": secret})
    client, address = sign_in(operator), reverse("admin:mfa_authenticator_change", args=[row.pk])
    assert secret not in client.get(address).text
    assert client.post(address, {"type": "webauthn", "data": "{}"}).status_code == 403
    assert client.post(reverse("admin:mfa_authenticator_delete", args=[row.pk]), {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("part", ["year", "month", "day"])
@pytest.mark.parametrize("value", ["0", "-1", "10000", "9" * 20, "9" * 5000, "x", "\0"])
def test_an_impossible_date_is_a_400_in_every_list(sign_in, operator, patient, part, value):
    """Each table has a list, and some have a row."""
    factories.VisitFactory(patient=patient)
    client = sign_in(operator)
    count = 0
    for model, model_admin in admin.site._registry.items():
        dated = [name for name in ("created_at", "date", "date_joined") if hasattr(model, name)]
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for field in dated:
            response = client.get(address, {f"{field}__{part}": value})
            assert response.status_code in (200, 302, 400), (model_admin, field)
            count += 1
    assert count > 5
    if (part, value) == ("year", "0"):
        assert client.get("/admin/patients/visit/?date__year=0").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "p=" + "9" * 5000,
        "p=" + "9" * 20,
        "p=-1",
        "q=%00",
        "o=" + "9" * 5000,
        "id=%00",
        "created_at__year=2026&created_at__month=" + "9" * 20,
    ],
)
def test_an_odd_query_is_a_400(sign_in, manager, query):
    for model in ("member", "patient"):
        assert sign_in(manager).get(f"/admin/patients/{model}/?{query}").status_code in (200, 302, 400)


@pytest.mark.parametrize("key", ["x", "\0", "9" * 50, ""])
def test_an_invalid_id_is_a_400(sign_in, operator, manager, key):
    form = {"action": "mail_link", "_selected_action": key}
    assert sign_in(manager).post("/admin/patients/member/", form).status_code == 400
    form = {"action": "delete_selected", "_selected_action": key}
    for address in ("/admin/patients/user/", "/admin/dermascan/contactmessage/"):
        assert sign_in(operator).post(address, form).status_code in (200, 302, 400)


def test_an_error_of_ours_in_a_lookup_is_refused_and_logged(sign_in, manager, monkeypatch, caplog):
    """It may be a fault of ours rather than a value that no column takes, so the log holds the error."""

    def broken(self, request):
        raise ValueError("ours")

    monkeypatch.setattr(scope.ClinicScopedAdmin, "get_queryset", broken)
    assert sign_in(manager).get("/admin/patients/member/?q=a").status_code == 400
    assert [str(record.exc_info[1]) for record in caplog.records if record.name == "dermascan.admin_site"] == ["ours"]
