"""The command `manage.py create_clinic`."""

import io
import re
import sys

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from patients.models import Clinic, Member, Role, User
from tests import factories

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_clinic", *arguments, stdout=out)
    return out.getvalue()


def test_opens_a_clinic_whose_manager_chooses_a_password_by_the_printed_link():
    printed = create("Hill Clinic", "--manager", "tendai", "--email", "t@example.com", "--site", "https://d.example/")
    member = Member.objects.get()
    assert (member.clinic.name, member.user.username, member.role) == ("Hill Clinic", "tendai", Role.MANAGER)
    assert member.user.is_staff
    assert not member.user.is_superuser
    assert not member.user.has_usable_password()

    link = re.search(r"https://d\.example(/accounts/\S+)", printed)
    assert link, printed
    browser = Client()
    page = browser.get(link[1], follow=True)
    browser.post(page.request["PATH_INFO"], {"password1": factories.PASSWORD, "password2": factories.PASSWORD})
    assert browser.login(username="tendai", password=factories.PASSWORD)
    assert browser.get(reverse("admin:index")).status_code == 200


def test_the_site_may_be_a_host_without_a_domain():
    assert "http://dermascan:8000/accounts/" in create(
        "Hill Clinic", "--manager", "tendai", "--site", "http://dermascan:8000"
    )


def test_reads_the_password_from_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(factories.PASSWORD + "\n"))
    printed = create("Hill Clinic", "--manager", "tendai", "--password-stdin")
    assert factories.PASSWORD not in printed
    assert "/accounts/" not in printed
    assert Client().login(username="tendai", password=factories.PASSWORD)


@pytest.mark.parametrize("password", ["short", "password1234", "", "123456789012345"])
def test_a_weak_password_creates_nothing(monkeypatch, password):
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))
    with pytest.raises(CommandError, match="password is refused"):
        create("Hill Clinic", "--manager", "tendai", "--password-stdin")
    assert not Clinic.objects.exists()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Hill Clinic", "--manager", "taken"], "This user name is taken"),
        (["HARBOUR clinic", "--manager", "tendai"], "“HARBOUR clinic” already exists"),
        (["  ", "--manager", "tendai"], "name: "),
        (["x" * 121, "--manager", "tendai"], "name: "),
        (["Hill Clinic", "--manager", "ten dai"], "username: "),
        (["Hill Clinic", "--manager", ""], "username: "),
        (["Hill Clinic", "--manager", "x" * 151], "username: "),
        (["Hill Clinic", "--manager", "tendai", "--email", "nobody"], "email: "),
        (["Hill Clinic"], "--manager"),
        (["Hill Clinic", "--manager", "tendai", "--site", "clinic.example"], "--site must be an address"),
        (
            ["Hill Clinic", "--manager", "tendai", "--site", "ftp://clinic.example"],
            "--site must be an address",
        ),
        (["Hill Clinic", "--manager", "tendai", "--site", "https://[clinic"], "--site must be an address"),
    ],
)
def test_says_what_is_wrong_and_creates_nothing(arguments, message, other_clinic):
    factories.UserFactory(username="taken")
    with pytest.raises(CommandError, match=message):
        create(*arguments)
    assert list(Clinic.objects.all()) == [other_clinic]
    assert User.objects.count() == 1
