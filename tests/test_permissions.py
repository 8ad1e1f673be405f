"""Permissions: every URL of the URL configuration, for every role.

Each URL needs a rule: by its name in ``PAGES`` (tests/permissions/pages.py); for allauth in ``ACCOUNTS``, and for the
admin in ``ADMIN_PAGES``, or in ``ADMIN`` if it is a table. ``test_every_address_has_a_rule`` fails for a URL without a
rule. A rule has the expected status of GET and of an empty POST for each role; full POSTs are tested with the feature.
Requests run in a transaction that is rolled back, so that they do not affect each other.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from django.urls import reverse

from tests.permissions.addresses import ADDRESSES, RULES, Address
from tests.permissions.admin_site import ADMIN
from tests.permissions.answers import ROLES
from tests.permissions.world import World, undone

pytestmark = [pytest.mark.slow, pytest.mark.services]


def test_every_address_has_a_rule():
    missing = [f"{address.name or 'no name'} at /{address.route}" for address in ADDRESSES if not address.cases()]
    assert not missing, (
        "These addresses have no rule that says who may open them: "
        + ", ".join(missing)
        + ". Add each to PAGES in tests/permissions/pages.py under its name (a table of the admin: to ADMIN)."
    )


def test_every_rule_has_an_address():
    names = {address.name for address in ADDRESSES}
    assert not set(RULES) - names, "These rules are about nothing; take them out of tests/permissions/."
    tables = {address.table[0] for address in ADDRESSES if address.table}
    assert not set(ADMIN) - tables, "These rules are about nothing; take them out of ADMIN."


def test_every_rule_covers_every_role():
    for address in ADDRESSES:
        for case in address.cases():
            assert set(case.get) == set(case.post) == set(ROLES), address


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    """Return records that are created once for hundreds of requests, none of which changes them."""
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media), undone():
        yield World()


def marked(address: Address) -> Any:
    """Return the URL as a parameter, marked slow for the many URLs of the admin and allauth."""
    is_quick = address.name in QUICK or not address.route.startswith(("admin/", "accounts/"))
    return pytest.param(address, id=address.name or address.route, marks=[] if is_quick else pytest.mark.slow)


QUICK = {"account_login", "admin:index", "admin:diagnosis_image_changelist", "admin:diagnosis_image_change"}


@pytest.mark.django_db
@pytest.mark.parametrize("address", [marked(address) for address in ADDRESSES])
def test_permissions(world, address):
    surprises = []
    for case in address.cases():
        path = address.path(case, world)
        for method, expected in (("get", case.get), ("post", case.post)):
            for role in ROLES:
                answer = world.answer(role, method, path)
                if answer != expected[role]:
                    surprises.append(f"{method.upper()} {path} as {role}: {answer}, and not {expected[role]}")
    assert not surprises, "\n".join(surprises)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["api-predict", "api-predict-batch", "api-explanation"])
def test_the_api_treats_tokens_like_sessions(world, name):
    (case,) = RULES[name]
    for method, expected in (("get", case.get), ("post", case.post)):
        assert {role: world.answer(role, method, reverse(name), token=True) for role in ROLES} == expected
