"""Every form that creates something has an idempotency key, and its view uses it.

The forms are collected by opening every URL of the URL configuration in every role.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.test import Client, override_settings
from django.urls import resolve

from diagnosis.assessment.exclusions import exclude_image
from tests.forms import posting_forms
from tests.permissions.addresses import ADDRESSES
from tests.permissions.answers import ROLES
from tests.permissions.world import World, undone

pytestmark = [pytest.mark.slow, pytest.mark.services]

# Forms that are harmless to send twice, by the URL name of their action.
CREATES_NOTHING = {
    "shared-opinion": "enters a code; every try is recorded on purpose",
    "image-facts": "its key is among the fields that both forms include",
    "today-filter": "replaces the member's filter",
    "account_login": "signing in",
    "account_logout": "signing out",
    "admin:logout": "signing out",
    "account_reauthenticate": "asks for the password again",
    "account_change_password": "replaces the password",
    "account_set_password": "replaces the password",
    "account_reset_password": "mails a link that works once; limited by the minute",
    "account_reset_password_from_key": "replaces the password; its link works once",
    "account_email": "changes the one address",
    "admin:password_change": "replaces the password",
    "admin:auth_user_password_change": "replaces the password",
    "mfa_authenticate": "signing in",
    "mfa_reauthenticate": "asks for the second factor again",
    "mfa_activate_totp": "an account has one second factor, and a code works once",
    "mfa_deactivate_totp": "takes the second factor away",
    "mfa_generate_recovery_codes": "replaces the codes",
    "quick-check": "keeps nothing",
    "patient-edit": "changes a record that is there",
    "visit-edit": "changes a record that is there",
    "lesion-edit": "changes a record that is there",
    "patient-risk": "the same answers again change nothing",
    "lesion-symptoms": "the same answers again change nothing",
    "privacy-mode": "a setting of the session",
    "visit-preview": "shows a draft",
    "admin:review-unit": "remembers one setting of the reader",
    "watch-acknowledge": "an incident is acknowledged once; the rule is in the database",
    "admin:review-mode": "a setting of the session",
    "admin:review-skipped": "ends what was skipped",
}


TEMPLATES = Path(settings.BASE_DIR) / "templates"
FORM = re.compile(r'<form[^>]*method="post".*?</form>', re.DOTALL)


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media), undone():
        yield World()


def addresses_with_pages(world: World) -> Iterator[tuple[str, str]]:
    """Yield every page with a role that may open it."""
    for address in ADDRESSES:
        for case in address.cases():
            path = address.path(case, world)
            yield from ((path, role) for role in ROLES if case.get[role] == 200)
    # Forms that the default records do not show.
    yield f"/visits/{world.objects['signed_visit'].pk}/", "dermatologist"
    yield f"/images/{world.objects['released_image'].pk}/", "staff"


def forms_at(path: str, role: str, world: World) -> Iterator[tuple[str, str, str]]:
    """Yield each form's page, action and key."""
    client = Client()
    if role in world.sessions:
        client.cookies["sessionid"] = world.sessions[role]
    with undone():
        response = client.get(path)
    if response.streaming:
        list(response)  # closes the file
        return
    if "text/html" not in response.headers.get("Content-Type", ""):
        return
    for form in posting_forms(response.content.decode()):
        for action in [form.action, *form.other_actions]:
            yield f"{path} as {role}", urlsplit(urljoin(path, action)).path, form.key


def keeps_to_it(view: Any) -> bool:
    """Return whether the view is decorated with ``@once``, as all views of the admin site are."""
    return getattr(view, "is_sent_once", False) or hasattr(view, "model_admin")


@pytest.mark.django_db
def test_every_creating_form_has_a_key(world):
    with undone():
        image, member = world.objects["released_image"], world.objects["patients.member"]
        exclude_image(image=image, by=member, reason="other_lesion", note="")
        forms = {form for path, role in addresses_with_pages(world) for form in forms_at(path, role, world)}
    without, ignored, seen = set(), set(), set()
    for page, action, key in forms:
        match = resolve(action)
        name = match.view_name
        seen.add(name)
        if name in CREATES_NOTHING or name.endswith("_delete"):
            continue
        if not key:
            without.add(f"{page}, sent to {name}")
        elif not keeps_to_it(match.func):
            ignored.add(name)
    assert not without, (
        "These forms may make something twice: add {% idempotency_key %} to each and @once to its view, or its reason "
        f"to CREATES_NOTHING.\n{chr(10).join(sorted(without))}"
    )
    assert not ignored, f"These views get a key and do not use it; decorate them with @once: {sorted(ignored)}"
    assert {
        "patient-new", "visit-new", "lesion-new", "patient-consent", "patient-account", "upload", "contact",
        "image-review", "image-scale", "image-override", "image-exclude", "image-undo-exclusion", "visit-sign",
        "visit-release", "visit-addendum", "admin:review-photograph", "admin:retraining-abandon",
        "admin:patients_member_add", "admin:patients_clinic_add", "admin:patients_user_add",
    } <= seen  # fmt: skip


# Forms whose action is not a URL name in the template: view name by template.
SENT_ELSEWHERE = {
    "account/includes/password_form.html": "account_change_password",
    "opinions/door.html": "shared-opinion",
    "assessment/facts_form.html": "image-facts",
    "assessment/includes/photograph_facts.html": "image-facts",
}


def test_every_form_in_our_templates_has_a_key_or_creates_nothing():
    """This includes forms that no page shows in the test above."""
    lacking = set()
    for path in TEMPLATES.rglob("*.html"):
        for form in FORM.findall(path.read_text()):
            names = re.findall(r"{% url '([^']+)'", form.split(">", 1)[0])
            template = str(path.relative_to(TEMPLATES))
            names.append(SENT_ELSEWHERE.get(template, ""))
            if "{% idempotency_key %}" not in form and not set(names) & set(CREATES_NOTHING):
                lacking.add(template)
    assert not lacking


@pytest.mark.django_db
def test_every_exemption_is_of_a_form(world):
    names = {address.name for address in ADDRESSES}
    assert not set(CREATES_NOTHING) - names
