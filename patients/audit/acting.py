"""Who acts, and from where: taken from the request, the command or the task that is running."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from celery import current_task
from django.http import HttpRequest

from dermascan.core.client_address import UNKNOWN, client_address
from patients.models import AuditEntry, Member, Patient, User
from patients.models.audit import LONGEST_AGENT

# Roles of those who are no members of a clinic.
PATIENT, OPERATOR, OUTSIDE, VISITOR, SYSTEM = "patient", "operator", "outside", "visitor", "system"
_LONGEST_PLACE, _LONGEST_NAME = 100, 150


@dataclass(frozen=True)
class Actor:
    """A person, or a part of the system, with their role and clinic at the time."""

    user: User | None = None
    name: str = ""
    role: str = VISITOR
    clinic_id: UUID | None = None


@dataclass
class Doing:
    """One request, command or task, and what was noted during it."""

    request: HttpRequest | None = None
    place: str = ""
    actor: Actor | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    # Entries to be written when the request has been answered; changes are written at once.
    noted: list[AuditEntry] = field(default_factory=list)
    # The patients whose records were changed.
    changed: set[UUID | None] = field(default_factory=set)
    _asked: Actor | None = None

    def who(self) -> Actor:
        """Return the actor. The API authenticates within its view, so the request is asked each time."""
        if self.actor is not None or self.request is None:
            return self.actor or Actor(role=SYSTEM, name="system")
        user = getattr(self.request, "user", None)
        if not isinstance(getattr(user, "_wrapped", user), User) or user is None or not user.is_authenticated:
            return Actor()
        if self._asked is None or self._asked.user is None or self._asked.user.pk != user.pk:
            member = getattr(self.request, "member", None)
            self._asked = actor_of(user, member if member is not None and member.user_id == user.pk else None)
        return self._asked

    @property
    def address(self) -> str:
        address = client_address(self.request) if self.request is not None else ""
        return "" if address == UNKNOWN else address[:45]

    @property
    def agent(self) -> str:
        sent = str(self.request.META.get("HTTP_USER_AGENT") or "") if self.request is not None else ""
        return one_line(sent, LONGEST_AGENT)


_current: ContextVar[Doing | None] = ContextVar("audit", default=None)


@contextmanager
def acting(doing: Doing) -> Iterator[Doing]:
    """Attribute what happens within to ``doing``."""
    token = _current.set(doing)
    try:
        yield doing
    finally:
        _current.reset(token)


def current() -> Doing | None:
    return _current.get()


def current_or_system() -> Doing:
    """Return what is running; outside of requests and commands a task of a worker, or a shell."""
    doing = _current.get()
    if doing is not None:
        return doing
    task = current_task.name if current_task else ""
    return Doing(place=one_line(task, _LONGEST_PLACE), actor=Actor(role=SYSTEM, name="system"), request_id="")


def actor_of(user: Any, member: Member | None = None) -> Actor:
    """Return the role and clinic of a user: a member's, a patient's, or an operator's."""
    name = one_line(user.get_username(), _LONGEST_NAME)
    member = member or Member.objects.filter(user=user).first()
    if member is not None:
        return Actor(user, name, str(member.role), member.clinic_id)
    clinic_id = Patient.objects.filter(user=user).values_list("clinic", flat=True).first()
    if clinic_id is not None:
        return Actor(user, name, PATIENT, clinic_id)
    return Actor(user, name, OPERATOR if user.is_superuser else VISITOR)


def one_line(text: str, longest: int) -> str:
    """Return ``text`` cut to a length and without control characters, some of which PostgreSQL refuses."""
    return "".join(letter for letter in text if letter.isprintable())[:longest]
