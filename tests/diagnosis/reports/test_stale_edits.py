"""Stale pages: an edit of a width or a plan from an outdated page replaces nothing."""

from decimal import Decimal

import pytest
from django.urls import reverse

from diagnosis.measures.models import PictureScale
from diagnosis.reports.models import Report
from patients.models import Role, VisitStatus
from tests import factories
from tests.diagnosis.photographing import kept, sample
from tests.diagnosis.reporting import chosen_steps, photographed_visit
from tests.page_forms import filled_in, form_with


@pytest.fixture
def two(sign_in, clinic):
    return [
        sign_in(factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST, user__first_name=name))
        for name in ("Ada", "Ben")
    ]


def test_a_width_from_a_stale_page_is_asked_about(two, patient, staff):
    visit = factories.VisitFactory(patient=patient)
    image = kept(visit, factories.LesionFactory(patient=patient), staff, sample(0))
    ada, ben = two
    page, address = image.get_absolute_url(), reverse("image-scale", args=[image.pk])
    ours = filled_in(ada, page, "width_mm", width_mm="14.5")
    assert ben.post(address, filled_in(ben, page, "width_mm", width_mm="20")).status_code == 302

    refused = ada.post(address, ours)

    assert refused.status_code == 409
    assert "Ben" in refused.text
    assert [scale.width_mm for scale in PictureScale.objects.all()] == [Decimal(20)]
    again = form_with(refused.text, "width_mm").data
    assert again["width_mm"] == ["14.5"]
    assert ada.post(address, {**again, "keep-width_mm": "mine"}).status_code == 302
    assert PictureScale.objects.all()[0].width_mm == Decimal("14.5")


@pytest.mark.slow
def test_a_plan_that_a_colleague_saved_meanwhile_is_not_signed_away(two, patient):
    visit = photographed_visit(patient)
    ada, ben = two
    sign, edit = (reverse(name, args=[visit.pk]) for name in ("visit-sign", "visit-edit"))
    ours = filled_in(ada, sign, "plan", plan="See again in a year.")
    assert ben.post(edit, filled_in(ben, edit, "plan", plan="Excise within two weeks.")).status_code == 302

    refused = ada.post(sign, ours)

    assert refused.status_code == 409
    assert "Excise within two weeks." in refused.text
    assert not Report.objects.exists()
    again = form_with(refused.text, "plan").data
    assert again["plan"] == ["See again in a year."]
    assert ada.post(sign, {**again, **chosen_steps(refused), "keep-plan": "theirs"}).status_code == 302
    visit.refresh_from_db()
    assert (visit.status, visit.plan.splitlines()[0]) == (VisitStatus.SIGNED, "Excise within two weeks.")
