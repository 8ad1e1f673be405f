"""Saved filters: each member's own, once, under a name of its own, at most twenty, without words."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from diagnosis.record.search.models import MOST_SAVED, SavedFilter
from tests import factories


@pytest.fixture
def client(sign_in, staff):
    return sign_in(staff)


def save(client, name: str, parameters: str = "tier=urgent", listing: str = "lesions", **extra: str):
    values = {"listing": listing, "parameters": parameters, "name": name, **extra}
    return client.post(reverse("filter-save"), values, follow=True)


def test_a_filter_is_saved_once_and_shown_as_a_tab(client, sign_in, dermatologist, staff):
    for _number in range(2):
        response = save(client, "  Urgent   ones ", "site=nail&tier=urgent&q=Almond&page=3")
    saved = SavedFilter.objects.get()
    assert (saved.member, saved.name, saved.parameters) == (staff, "Urgent ones", "tier=urgent&site=nail")
    assert response.redirect_chain[-1][0] == "/lesions/?tier=urgent&site=nail"
    assert list(response.context["saved"]) == [saved]
    assert list(client.get(reverse("visits")).context["saved"]) == []
    assert list(sign_in(dermatologist).get(reverse("lesions")).context["saved"]) == []


def test_the_same_form_sent_twice_saves_once(client):
    key = "6dbbe0e4-9f1c-4f0e-9a55-0f54cbb6ad55"
    for _number in range(2):
        save(client, "Urgent", idempotency_key=key)
    assert SavedFilter.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "parameters", "listing"),
    [
        ("URGENT", "tier=calm", "lesions"),
        ("Urgent", "tier=urgent", "visits"),
        ("", "tier=urgent", "lesions"),
        ("   ", "tier=urgent", "lesions"),
        ("x" * 61, "tier=urgent", "lesions"),
        ("\0", "tier=urgent", "lesions"),
        ("Names", "q=Almond", "lesions"),
        ("Nothing", "", "lesions"),
        ("Hostile", "tier=%00", "lesions"),
        ("Hostile", "tier=nothing", "visits"),
        ("Hostile", "x" * 2001, "visits"),
        ("Hostile", "tier=urgent", "../admin"),
    ],
)
def test_what_cannot_be_saved_is_said(client, name, parameters, listing):
    save(client, "Urgent")
    response = save(client, name, parameters, listing)
    assert response.status_code == 200
    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert SavedFilter.objects.count() == 1


def test_at_most_twenty(client, staff):
    for number in range(MOST_SAVED + 1):
        save(client, f"Filter {number}")
    assert sorted(SavedFilter.objects.values_list("number", flat=True)) == list(range(1, MOST_SAVED + 1))
    SavedFilter.objects.get(number=7).delete()
    save(client, "Again")
    assert SavedFilter.objects.get(name="Again").number == 7


def test_only_its_member_deletes_it(client, sign_in, dermatologist, stranger):
    save(client, "Urgent")
    address = reverse("filter-delete", args=[SavedFilter.objects.get().pk])
    assert sign_in(dermatologist).post(address).status_code == 404
    assert sign_in(stranger).post(address).status_code == 404
    assert client.get(address).status_code == 405
    assert SavedFilter.objects.exists()
    assert client.post(address).headers["Location"] == reverse("lesions")
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"number": 1},
        {"name": "urgent"},
        {"number": MOST_SAVED + 1},
        {"number": 0},
        {"name": ""},
        {"parameters": ""},
        {"listing": "patients"},
    ],
)
def test_the_database_refuses_what_the_service_would(staff, values):
    SavedFilter.objects.create(member=staff, number=1, listing="visits", name="Urgent", parameters="tier=urgent")
    row = {"number": 2, "listing": "visits", "name": "Another", "parameters": "tier=calm"}
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedFilter.objects.create(member=staff, **row | values)
    SavedFilter.objects.create(member=factories.MemberFactory(clinic=staff.clinic), **row | {"name": "Urgent"})
