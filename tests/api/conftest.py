from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.authtoken.models import Token

from patients.models import Lesion, Member, User, Visit
from tests import factories


@pytest.fixture
def api() -> Callable[[Member | User], Client]:
    """Return a client that sends the token of the given member or user."""

    def _api(who: Member | User) -> Client:
        token, _created = Token.objects.get_or_create(user=who.user if isinstance(who, Member) else who)
        return Client(headers={"authorization": f"Token {token.key}"})

    return _api


@pytest.fixture
def lesion(patient) -> Lesion:
    return factories.LesionFactory(patient=patient, number=1)


@pytest.fixture
def visit(patient) -> Visit:
    return factories.VisitFactory(patient=patient)


@pytest.fixture
def other_lesion(other_clinic) -> Lesion:
    """A lesion of a patient of the other clinic."""
    return factories.LesionFactory(patient__clinic=other_clinic, number=1)


@pytest.fixture
def other_visit(other_lesion) -> Visit:
    return factories.VisitFactory(patient=other_lesion.patient)
