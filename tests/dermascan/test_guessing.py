"""Limits on guessing passwords slow attackers but not the owners of accounts."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client

from patients.known_devices import COOKIE
from patients.outbox import deliver_due
from tests.dermascan.test_accounts import code_for
from tests.factories import PASSWORD
from tests.mails import password_link

pytestmark = pytest.mark.django_db

PROXY, GUESSER, OWNER = "10.0.0.1", "198.51.100.7", "203.0.113.9"


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings):
    settings.PROXIES = 1


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1_800_000_000.0

        def time(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr("dermascan.core.limits.time.time", clock.time)
    return clock


def sign_in(login: str, password: str = "wrong", *, at: str = GUESSER, client: Client | None = None):
    return (client or Client()).post(
        "/accounts/login/",
        {"login": login, "password": password},
        REMOTE_ADDR=PROXY,
        headers={"x-forwarded-for": at},
    )


def test_an_attacker_behind_the_proxy_locks_out_only_themselves(staff):
    guesses = [sign_in(f"somebody{number}").status_code for number in range(11)]
    assert guesses == [200] * 10 + [429]
    assert sign_in(staff.user.username, PASSWORD).status_code == 429
    assert sign_in(staff.user.username, PASSWORD, at=OWNER).status_code == 302


def test_a_refusal_says_when_to_try_again(staff):
    answers = [sign_in(staff.user.username) for _number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 300


@pytest.mark.parametrize("forged", ["{n}.1.1.1, 198.51.100.7", "{n}.1.1.1,10.9.9.9, 198.51.100.7:80"])
def test_forged_entries_gain_nothing(forged):
    guesses = [sign_in(f"somebody{n}", at=forged.format(n=n)).status_code for n in range(11)]
    assert guesses[-1] == 429


def test_without_a_proxy_the_header_gains_nothing(settings):
    settings.PROXIES = 0
    assert [sign_in(f"somebody{n}", at=f"{n}.1.1.1").status_code for n in range(11)][-1] == 429


def test_one_ipv6_network_is_one_attacker():
    guesses = [sign_in(f"somebody{n}", at=f"2001:db8:1:2::{n:x}").status_code for n in range(11)]
    assert guesses[-1] == 429
    assert sign_in("somebody", at="2001:db8:1:3::1").status_code == 200


def test_strangers_do_not_lock_an_account(staff):
    for _number in range(8):
        sign_in(staff.user.username)
        sign_in(staff.user.email.upper())
    assert sign_in(staff.user.username, PASSWORD).status_code == 429
    assert sign_in(staff.user.username, PASSWORD, at=OWNER).status_code == 302


def test_user_name_and_address_are_one_account(staff):
    guesses = [sign_in(login).status_code for login in [staff.user.username, staff.user.email] * 3]
    assert guesses == [200] * 5 + [429]


def test_correct_passwords_are_not_counted(staff):
    assert {sign_in(staff.user.username, PASSWORD).status_code for _number in range(20)} == {302}


def test_a_known_device_gets_in_while_many_addresses_guess(staff, clock):
    known = Client()
    assert sign_in(staff.user.username, PASSWORD, at=OWNER, client=known).status_code == 302
    known.post("/accounts/logout/")

    guesses = [sign_in(staff.user.username, at=f"198.51.{n}.1").status_code for n in range(40)]
    assert guesses == [200] * 31 + [429] * 9, "one more for every delay"

    assert sign_in(staff.user.username, PASSWORD, at=OWNER, client=known).status_code == 302
    unknown = sign_in(staff.user.username, PASSWORD, at="192.0.2.1")
    assert unknown.status_code == 429
    assert int(unknown["Retry-After"]) <= 5
    clock.now += 6
    assert sign_in(staff.user.username, PASSWORD, at="192.0.2.1").status_code == 302


def test_a_known_device_counts_only_for_its_own_account(staff, dermatologist):
    known = Client()
    sign_in(staff.user.username, PASSWORD, client=known)
    known.post("/accounts/logout/")
    guesses = [sign_in(dermatologist.user.username, client=known).status_code for _number in range(6)]
    assert guesses[-1] == 429


def test_a_known_device_has_a_limit_too(staff):
    known = Client()
    sign_in(staff.user.username, PASSWORD, client=known)
    known.post("/accounts/logout/")
    guesses = [sign_in(staff.user.username, client=known).status_code for _number in range(11)]
    assert guesses == [200] * 10 + [429]


@pytest.mark.parametrize("forged", ["", "nonsense", "WyJhIixbIjEiXV0:1:abc"])
def test_a_forged_cookie_is_ignored(staff, forged):
    client = Client()
    client.cookies[COOKIE] = forged
    assert [sign_in(staff.user.username, client=client).status_code for _number in range(6)][-1] == 429


def test_the_cookie_is_not_for_scripts(staff):
    cookie = sign_in(staff.user.username, PASSWORD).cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_second_factors_cannot_be_guessed_and_do_not_lock_the_owner(staff):
    secret = generate_totp_secret()
    TOTP.activate(staff.user, secret)
    RecoveryCodes.activate(staff.user)

    def second_step(client: Client, code: str, at: str) -> int:
        headers = {"x-forwarded-for": at}
        return client.post(
            "/accounts/2fa/authenticate/", {"code": code}, REMOTE_ADDR=PROXY, headers=headers
        ).status_code

    guesser, owner = Client(), Client()
    sign_in(staff.user.username, PASSWORD, client=guesser)
    assert [second_step(guesser, "000000", GUESSER) for _number in range(6)] == [200] * 5 + [429]
    sign_in(staff.user.username, PASSWORD, at=OWNER, client=owner)
    assert second_step(owner, code_for(secret), OWNER) == 302
    assert "_auth_user_id" in owner.session


def test_the_password_cannot_be_guessed_in_an_open_session(staff):
    client = Client()
    sign_in(staff.user.username, PASSWORD, client=client)
    guesses = [
        client.post("/accounts/reauthenticate/", {"password": "wrong"}, REMOTE_ADDR=PROXY).status_code
        for _number in range(11)
    ]
    assert guesses == [200] * 10 + [429]
    assert sign_in(staff.user.username, PASSWORD, at=OWNER).status_code == 302


def test_strangers_cannot_fill_a_mailbox_or_keep_the_owner_from_a_link(staff):
    owner = Client()
    sign_in(staff.user.username, PASSWORD, at=OWNER, client=owner)
    owner.post("/accounts/logout/")

    def ask(client: Client, at: str) -> int:
        headers = {"x-forwarded-for": at}
        form = {"email": staff.user.email}
        return client.post("/accounts/password/reset/", form, REMOTE_ADDR=PROXY, headers=headers).status_code

    assert {ask(Client(), f"198.51.{n}.1") for n in range(12)} == {302}
    deliver_due()
    assert len(mail.outbox) == 5
    assert ask(owner, OWNER) == 302
    deliver_due()
    assert len(mail.outbox) == 6


def test_a_password_reset_makes_the_device_known(staff, clock):
    client = Client()
    client.post("/accounts/password/reset/", {"email": staff.user.email})
    deliver_due()
    link = password_link(mail.outbox[0].body)
    form = client.get(link, follow=True)
    new = "a very different horse and staple"
    client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    for n in range(40):
        sign_in(staff.user.username, at=f"198.51.{n}.1")
    assert sign_in(staff.user.username, new, at="192.0.2.1", client=client).status_code == 302


@pytest.mark.parametrize("hours", [-24, -1, 1])
def test_a_clock_change_does_not_extend_limits(staff, clock, hours):
    assert [sign_in(staff.user.username).status_code for _number in range(6)][-1] == 429
    clock.now += hours * 3600
    assert [sign_in(staff.user.username).status_code for _number in range(6)] == [200] * 5 + [429]
    clock.now += 301
    assert sign_in(staff.user.username, PASSWORD).status_code == 302


def test_clocks_that_differ_a_little_share_a_count(staff, clock):
    for n in range(5):
        clock.now += 2 if n % 2 else -2
        assert sign_in(staff.user.username).status_code == 200
    clock.now -= 3
    assert sign_in(staff.user.username).status_code == 429
