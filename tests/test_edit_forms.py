"""Every edit form includes the version it was opened with. Forms are collected from the URL configuration."""

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from tests.page_forms import PageForm, forms_of
from tests.permissions.addresses import ADDRESSES, Address
from tests.permissions.world import World, undone

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.django_db]

# Pages of a record whose forms have initial values but only add to it.
ADDS = {
    "visit-new",
    "lesion-new",
    "specimen-new",
    "opinion-ask",
    "pathology-new",
    "upload",
    "image-exclude",
    "visit-addendum",
    "admin:review",
    "admin:review-photograph",
    "admin:auth_user_password_change",
}
ADDING_ACTIONS = ("/review/", "/override/")
# Pages whose forms replace stored values without always showing them.
EDITS_ALL_THE_SAME = {"patient-consent", "visit-sign", "image"}
ROLES = ("staff", "dermatologist", "manager", "superuser", "patient")


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media), undone():
        yield World()


def forms_at(address: Address, world: World) -> Iterator[PageForm]:
    """Return the forms on the pages of one record, for all roles."""
    for case in address.cases():
        for role in ROLES:
            if case.get[role] != 200 or not case.ids:
                continue
            client = Client()
            client.cookies["sessionid"] = world.sessions[role]
            with undone():
                response = client.get(address.path(case, world))
                if response.streaming:
                    list(response)  # closes the file
                    continue
            if response["Content-Type"].startswith("text/html"):
                yield from forms_of(response.text)


def shows_what_is_stored(form: PageForm) -> bool:
    return any(any(form.data.get(name, [])) for name in form.editable)


def test_every_edit_form_includes_its_version(world):
    lacking, carrying = set(), set()
    for address in ADDRESSES:
        if address.name in ADDS:
            continue
        for form in forms_at(address, world):
            if form.method != "post" or not form.editable or form.action.endswith(ADDING_ACTIONS):
                continue
            if "made_from" in form.names:
                carrying.add(address.name)
            elif shows_what_is_stored(form):
                lacking.add(f"{address.name}: {sorted(form.editable)}")
    assert not lacking, "Mix EditForm into these forms, and give their services made_from."
    pages = {"patient-edit", "patient-risk", "visit-edit", "lesion-symptoms", "lesion-edit", "patient-account"}
    pages |= EDITS_ALL_THE_SAME
    tables = {f"admin:patients_{name}_change" for name in ("clinic", "member", "user")}
    assert pages | tables <= carrying


def test_no_admin_list_is_editable():
    from django.contrib import admin

    assert not [table for table in admin.site._registry.values() if table.list_editable]
