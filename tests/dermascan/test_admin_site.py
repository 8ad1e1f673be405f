from typing import Any

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.urls import NoReverseMatch, reverse

from tests import factories

pytestmark = pytest.mark.django_db


def test_nobody_learns_from_the_admin_whether_another_clinic_has_a_record(sign_in, stranger, manager, patient):
    content_type = ContentType.objects.get_for_model(patient)
    for who in (stranger, manager):
        client = sign_in(who)
        for key in (patient.pk, "6f1c43bb-8d0e-4f13-9a4e-3f3c7c4c3f6d", "nonsense"):
            assert client.get(f"/admin/r/{content_type.pk}/{key}/").status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("admin:view_on_site", args=[content_type.pk, patient.pk])


def test_the_admin_still_leads_to_the_page_of_a_record(sign_in, manager, patient):
    visit = factories.VisitFactory(patient=patient)
    lesion = factories.LesionFactory(patient=patient)
    client = sign_in(manager)
    for record in (patient, visit, lesion):
        change_page = reverse(f"admin:patients_{record._meta.model_name}_change", args=[record.pk])
        assert f'href="{record.get_absolute_url()}" class="viewsitelink"' in client.get(change_page).text


def test_no_model_admin_counts_on_the_redirect_that_is_gone():
    """Django's own ``get_view_on_site_url`` would fail on each change page; ``RoleGate``'s does not."""
    for model, model_admin in admin.site._registry.items():
        if hasattr(model, "get_absolute_url"):
            record: Any = model()
            assert model_admin.get_view_on_site_url(record) == record.get_absolute_url(), model
