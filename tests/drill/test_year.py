"""A year of two clinics: at its end nothing is forgotten, and every correction can be traced."""

import datetime

import pytest

from tests import factories
from tests.drill import checks
from tests.drill.clock import Clock
from tests.drill.desk import DERMATOLOGIST, MANAGER, STAFF, Desk
from tests.drill.pages import Pages
from tests.drill.year import FIRST, LAST, Year

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.services]


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch, FIRST)


def test_after_a_year_nothing_is_forgotten_and_every_correction_is_traceable(clock, mail_server, settings):
    settings.REVIEW_RANDOM_SHARE = 0
    desk = Desk(factories.ClinicFactory(name="Northside Clinic"), surname="Northmoor", clock=clock)
    neighbour = Desk(factories.ClinicFactory(name="Harbour Clinic"), surname="Quayside", clock=clock)
    year = Year(clock, desk, neighbour, mail_server)

    year.pass_until(datetime.date(2025, 5, 14))
    wrong = checks.nothing_is_forgotten(desk, Pages(desk, STAFF))
    wrong += checks.nothing_is_forgotten(neighbour, Pages(neighbour, STAFF))
    assert not wrong, "in May:\n" + "\n".join(wrong)

    year.pass_until(LAST)
    assert year.is_over
    for here, there, members in (
        (desk, neighbour, checks.EVERYONE),
        (neighbour, desk, (STAFF, DERMATOLOGIST)),
    ):
        texts = []
        for who in members:
            pages = Pages(here, who)
            wrong += checks.nothing_is_forgotten(here, pages)
            texts += pages.texts
        pages = Pages(here, MANAGER)
        wrong += checks.every_correction_is_traceable(here, pages)
        wrong += checks.signed_bytes_are_unchanged(here)
        wrong += checks.figures_agree(here, pages)
        wrong += checks.mail_went_out_once(here, mail_server.taken)
        wrong += checks.nothing_of_the_neighbour_shows(here, there, texts + pages.texts)
    wrong += checks.as_many_as_planned(desk, patients=40)
    wrong += checks.as_many_as_planned(neighbour, patients=7)
    assert not wrong, "\n".join(wrong)
