"""Who may open what: every address of the site, taken from its URL configuration, for every role.

Each address needs a rule below: in ``RULES`` by its name, in ``ADMIN`` if it is a table of the admin. An address
without a rule fails ``test_every_address_has_a_rule``. A rule says what GET and an empty POST are answered with, for
each role; what a full POST does is tested with the feature. Requests run in a transaction that is rolled back, so
they do not feel each other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.authtoken.models import Token, TokenProxy

from dermascan.models import ContactMessage
from dermascan.views.network import report_facts
from diagnosis.models import Image
from mlmodel.analysis import get_analyser
from patients.models import Purpose, Role, User
from tests import factories
from tests.diagnosis.reporting import photographed_visit, refused_photograph, signed_report

ROLES = (
    "anonymous",
    "staff",
    "dermatologist",
    "manager",
    "patient",  # a visit was released to them
    "other_patient",  # of the same clinic
    "stranger",  # a dermatologist of another clinic
    "superuser",  # without a clinic
)
CLINIC = ("staff", "dermatologist", "manager")

# Redirects are named by where they lead.
SIGN_IN = "to signing in"
ADMIN_SIGN_IN = "to the admin's door"
ADMIN_INDEX = "to the admin's start"

Answer = int | str
Answers = dict[str, Answer]


def everyone(answer: Answer, **others: Answer) -> Answers:
    return {**dict.fromkeys(ROLES, answer), **others}


def signed_in(answer: Answer, **others: Answer) -> Answers:
    return everyone(answer, **{"anonymous": SIGN_IN, **others})


def clinic(answer: Answer, **others: Answer) -> Answers:
    """Members of every role; another clinic's too, for what belongs to no clinic or to one's own."""
    return signed_in(403, **{**dict.fromkeys((*CLINIC, "stranger"), answer), **others})


def own_clinic(answer: Answer, **others: Answer) -> Answers:
    """Members of the clinic that the record belongs to; for others of their kind it does not exist."""
    return clinic(answer, **{"stranger": 404, **others})


def dermatologists(answer: Answer, **others: Answer) -> Answers:
    """Those of the record's clinic."""
    return signed_in(403, **{"dermatologist": answer, "stranger": 404, **others})


def members_of_the_api(answer: Answer, **others: Answer) -> Answers:
    return clinic(answer, anonymous=401, **others)


@dataclass
class Case:
    """What one address answers; ``ids`` names objects of ``World`` to put into it, ``words`` is put in as it is."""

    get: Answers
    post: Answers
    ids: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


PATIENT = {"patient_id": "patient"}
OPEN_VISIT, RELEASED_VISIT = {"visit_id": "open_visit"}, {"visit_id": "released_visit"}
SIGNED_VISIT = {"visit_id": "signed_visit"}
IMAGE, REFUSED_IMAGE = {"image_id": "open_image"}, {"image_id": "refused_image"}
RELEASED_IMAGE = {"image_id": "released_image"}
REPORT, UNRELEASED_REPORT = {"report_id": "released_report"}, {"report_id": "signed_report"}

NOT_HERE = everyone(405)

RULES: dict[str, list[Case]] = {
    # Pages for anyone
    "home": [Case(get=everyone(200), post=NOT_HERE)],
    "start": [Case(get=everyone(302), post=NOT_HERE)],
    "about": [Case(get=everyone(200), post=NOT_HERE)],
    "contact": [Case(get=everyone(200), post=everyone(200))],
    "contact-thanks": [Case(get=everyone(200), post=NOT_HERE)],
    "quick-check": [Case(get=everyone(200), post=everyone(400))],
    "favicon": [Case(get=everyone(302), post=NOT_HERE)],
    # The network in use; its report is there only if it came with one
    "network": [Case(get=clinic(200), post=clinic(405))],
    **{
        name: [Case(get=clinic(200 if report_facts(get_analyser()) else 404), post=clinic(405))]
        for name in ("network-report", "network-report-json")
    },
    # Patients, visits, lesions
    "patients": [Case(get=clinic(200), post=clinic(200))],
    "patient-new": [Case(get=clinic(200), post=clinic(200))],
    "patient": [Case(ids=PATIENT, get=own_clinic(200), post=clinic(405))],
    "patient-edit": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(200))],
    "patient-account": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(200))],
    "patient-consent": [
        Case(ids=PATIENT, words={"purpose": purpose}, get=own_clinic(200), post=own_clinic(200))
        for purpose in Purpose.values
    ],
    "visit-new": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(200))],
    "lesion-new": [Case(ids=PATIENT, get=own_clinic(200), post=own_clinic(200))],
    "visits": [Case(get=clinic(200), post=clinic(200))],
    "visit": [Case(ids=OPEN_VISIT, get=own_clinic(200), post=clinic(405))],
    "visit-edit": [
        Case(ids=OPEN_VISIT, get=own_clinic(200), post=own_clinic(200)),
        Case(ids=SIGNED_VISIT, get=own_clinic(302), post=own_clinic(302)),
    ],
    "lesion": [Case(ids={"lesion_id": "lesion"}, get=own_clinic(200), post=clinic(405))],
    # Photographs
    "upload": [
        Case(ids=OPEN_VISIT, get=own_clinic(200), post=own_clinic(400)),
        Case(ids=SIGNED_VISIT, get=own_clinic(302), post=own_clinic(409)),
    ],
    "image": [
        Case(ids=IMAGE, get=own_clinic(200), post=clinic(405)),
        Case(ids=REFUSED_IMAGE, get=own_clinic(200), post=clinic(405)),
    ],
    "image-explanation": [Case(ids=IMAGE, get=own_clinic(200), post=clinic(405))],
    "image-similar": [
        Case(ids=IMAGE, get=own_clinic(200), post=clinic(405)),
        Case(ids=REFUSED_IMAGE, get=own_clinic(200), post=clinic(405)),
    ],
    "image-override": [
        Case(ids=REFUSED_IMAGE, get=dermatologists(405, stranger=405), post=dermatologists(422)),
    ],
    "image-review": [Case(ids=IMAGE, get=dermatologists(405, stranger=405), post=dermatologists(422))],
    "image-scale": [Case(ids=IMAGE, get=clinic(405), post=own_clinic(302))],
    "image-analyse": [Case(ids=IMAGE, get=clinic(405), post=own_clinic(302))],
    "image-file": [
        *(
            Case(
                ids=RELEASED_IMAGE,
                words={"kind": kind},
                get=signed_in(404, **dict.fromkeys((*CLINIC, "patient"), 200)),
                post=signed_in(405),
            )
            for kind in ("display", "thumbnail", "heat-map")
        ),
        *(
            Case(
                ids=image,
                words={"kind": kind},
                get=signed_in(404, **dict.fromkeys(CLINIC, 200)),
                post=signed_in(405),
            )
            for image, kind in (
                (RELEASED_IMAGE, "original"),
                (IMAGE, "display"),
                (IMAGE, "thumbnail"),
                (IMAGE, "heat-map"),
                (IMAGE, "original"),
                (REFUSED_IMAGE, "original"),
            )
        ),
    ],
    # Reports
    "visit-sign": [
        Case(ids=OPEN_VISIT, get=dermatologists(200), post=dermatologists(422)),
        Case(ids=SIGNED_VISIT, get=dermatologists(302), post=dermatologists(302)),
    ],
    "visit-release": [
        Case(ids=SIGNED_VISIT, get=dermatologists(405, stranger=405), post=dermatologists(302)),
        Case(ids=OPEN_VISIT, get=dermatologists(405, stranger=405), post=dermatologists(302)),
    ],
    **{
        name: [
            Case(
                ids=REPORT,
                get=signed_in(404, **dict.fromkeys((*CLINIC, "patient"), 200)),
                post=signed_in(405),
            ),
            Case(ids=UNRELEASED_REPORT, get=signed_in(404, **dict.fromkeys(CLINIC, 200)), post=signed_in(405)),
        ]
        for name in ("report-pdf", "report-json")
    },
    # The patient's own pages
    "my-visits": [
        Case(get=signed_in(403, patient=200, other_patient=200), post=signed_in(403, patient=405, other_patient=405))
    ],
    "my-visit": [
        Case(
            ids=RELEASED_VISIT,
            get=signed_in(403, patient=200, other_patient=404),
            post=signed_in(403, patient=405, other_patient=405),
        ),
        *(
            Case(
                ids=visit,
                get=signed_in(403, patient=404, other_patient=404),
                post=signed_in(403, patient=405, other_patient=405),
            )
            for visit in (OPEN_VISIT, SIGNED_VISIT)
        ),
    ],
    # The API; test_the_api_knows_tokens_as_it_knows_sessions asks again with tokens
    "api-status": [Case(get=everyone(200), post=NOT_HERE)],
    "api-predict": [Case(get=members_of_the_api(405), post=members_of_the_api(400))],
    "api-predict-batch": [Case(get=members_of_the_api(405), post=members_of_the_api(400))],
    "api-explanation": [Case(get=members_of_the_api(405), post=members_of_the_api(400))],
    "api-similar": [Case(ids=IMAGE, get=members_of_the_api(200, stranger=404), post=members_of_the_api(405))],
    "api-schema": [Case(get=everyone(200), post=NOT_HERE)],
    "api-docs": [Case(get=everyone(200), post=NOT_HERE)],
    "api-unknown": [Case(get=everyone(404), post=everyone(404))],
}

# Signing in and one's own account: allauth's pages know no clinics, only whether one is signed in.
VISITORS_ONLY = Case(get=everyone(302, anonymous=200), post=everyone(302, anonymous=200))
FOR_ANYONE = Case(get=everyone(200), post=everyone(200))
TO_READ = Case(get=everyone(200), post=NOT_HERE)
ONES_OWN = Case(get=signed_in(200), post=signed_in(200))
PASSWORD_FIRST = Case(get=signed_in(302), post=signed_in(302))
NO_SECOND_FACTOR_YET = Case(get=signed_in(404), post=signed_in(404))

RULES |= {
    "account_login": [VISITORS_ONLY],
    "account_signup": [VISITORS_ONLY],  # says that it is closed
    "account_logout": [Case(get=everyone(200, anonymous=302), post=everyone(302))],
    "account_inactive": [TO_READ],
    "account_reauthenticate": [ONES_OWN],
    "account_email": [Case(get=signed_in(200), post=signed_in(405))],
    "account_email_verification_sent": [TO_READ],
    "account_confirm_email": [Case(words={"key": "unknown"}, get=everyone(200), post=everyone(404))],
    "account_change_password": [ONES_OWN],
    "account_set_password": [PASSWORD_FIRST],
    "account_reset_password": [FOR_ANYONE],
    "account_reset_password_done": [TO_READ],
    "account_reset_password_from_key": [
        Case(words={"uidb36": "1", "key": "unknown-key"}, get=everyone(200), post=everyone(200))
    ],
    "account_reset_password_from_key_done": [TO_READ],
    "account_confirm_login_code": [Case(get=everyone(302, anonymous=SIGN_IN), post=everyone(302, anonymous=SIGN_IN))],
    "mfa_index": [Case(get=signed_in(200), post=signed_in(405))],
    "mfa_authenticate": [Case(get=everyone(302, anonymous=SIGN_IN), post=everyone(302, anonymous=SIGN_IN))],
    "mfa_reauthenticate": [PASSWORD_FIRST],
    "mfa_activate_totp": [PASSWORD_FIRST],
    "mfa_deactivate_totp": [NO_SECOND_FACTOR_YET],
    "mfa_view_recovery_codes": [Case(get=signed_in(404), post=signed_in(405))],
    "mfa_generate_recovery_codes": [PASSWORD_FIRST],
    "mfa_download_recovery_codes": [NO_SECOND_FACTOR_YET],
}

INSIDE = ("dermatologist", "manager", "stranger", "superuser")


def in_the_admin(answer: Answer, **others: Answer) -> Answers:
    """Those who work in the admin; everybody else is sent to its door."""
    return everyone(ADMIN_SIGN_IN, **{**dict.fromkeys(INSIDE, answer), **others})


DOOR = everyone(ADMIN_INDEX, anonymous=SIGN_IN, staff=403, patient=403, other_patient=403)

RULES |= {
    "admin:index": [Case(get=in_the_admin(200), post=in_the_admin(200))],
    "admin:login": [Case(get=DOOR, post=DOOR)],
    "admin:logout": [
        Case(
            get=everyone(ADMIN_INDEX, **dict.fromkeys(INSIDE, 405)),
            post=everyone(ADMIN_INDEX, **dict.fromkeys(INSIDE, 302)),
        )
    ],
    "admin:password_change": [Case(get=in_the_admin(200), post=in_the_admin(200))],
    "admin:password_change_done": [Case(get=in_the_admin(200), post=in_the_admin(405))],
    "admin:autocomplete": [Case(get=in_the_admin(403), post=in_the_admin(405))],
    "admin:jsi18n": [Case(get=in_the_admin(200), post=in_the_admin(405))],
    "admin:app_list": [Case(words={"app_label": "patients"}, get=in_the_admin(200), post=in_the_admin(200))],
    "admin:auth_user_password_change": [
        Case(ids={"id": "user"}, get=in_the_admin(403, superuser=200), post=in_the_admin(403, superuser=200))
    ],
}

# The admin: who may see, add, change and delete the rows of a table. Superusers may what somebody may.
CLINICIANS = ("dermatologist", "manager", "superuser", "stranger")
MANAGERS = ("manager", "superuser")
OPERATORS = ("superuser",)
NOBODY: tuple[str, ...] = ()


@dataclass
class Table:
    see: tuple[str, ...]
    add: tuple[str, ...] = NOBODY
    change: tuple[str, ...] = NOBODY
    delete: tuple[str, ...] = NOBODY
    is_scoped: bool = True


DJANGOS_OWN = Table(see=OPERATORS, add=OPERATORS, change=OPERATORS, delete=OPERATORS, is_scoped=False)

ADMIN: dict[str, Table] = {
    "patients.clinic": Table(see=MANAGERS, add=OPERATORS, change=MANAGERS),
    "patients.member": Table(see=MANAGERS, add=MANAGERS, change=MANAGERS),
    "patients.user": Table(see=OPERATORS, add=OPERATORS, change=OPERATORS, is_scoped=False),
    "patients.patient": Table(see=CLINICIANS),
    "patients.visit": Table(see=CLINICIANS),
    "patients.lesion": Table(see=CLINICIANS),
    "patients.consent": Table(see=CLINICIANS),
    "diagnosis.image": Table(see=CLINICIANS, change=("dermatologist", "superuser", "stranger")),
    "diagnosis.imagefeatures": Table(see=CLINICIANS),
    "diagnosis.imageembedding": Table(see=CLINICIANS),
    "diagnosis.prediction": Table(see=CLINICIANS),
    "diagnosis.report": Table(see=CLINICIANS),
    "mlmodel.modelversion": Table(see=CLINICIANS, is_scoped=False),
    "dermascan.contactmessage": Table(see=OPERATORS, change=OPERATORS, delete=OPERATORS, is_scoped=False),
    "auth.group": DJANGOS_OWN,
    "account.emailaddress": DJANGOS_OWN,
    "mfa.authenticator": DJANGOS_OWN,
    "authtoken.tokenproxy": DJANGOS_OWN,
}


def table_case(label: str, action: str) -> Case:
    """What an address of a table of the admin answers, from the table's rule."""
    table = ADMIN[label]
    ids = {} if action in ("changelist", "add") else {"object_id": label}
    if action == "changelist":
        answers = only(table.see, 200)
        return Case(get=answers, post=answers)
    if action == "add":
        answers = only(table.add, 200)
        return Case(get=answers, post=answers)
    if action == "change":
        get = only((*table.see, *table.change), 200, stranger=ADMIN_INDEX if table.is_scoped else 200)
        post = only(table.change, CHANGED.get(label, 200), stranger=ADMIN_INDEX if table.is_scoped else 200)
        return Case(ids=ids, get=get, post=post)
    if action == "history":
        answers = only(table.see, 200)
        if table.is_scoped:
            answers["stranger"] = ADMIN_INDEX
        return Case(ids=ids, get=answers, post=answers)
    if action == "delete":
        answers = only(table.delete, 200)
        return Case(ids=ids, get=answers, post=answers)
    assert action == "", f"what does “{action}” do in the admin? Say so in table_case."
    return Case(ids=ids, get=in_the_admin(302), post=in_the_admin(302))


# An empty form is refused with 200, unless there is nothing that it must hold: here, one box to tick.
CHANGED: dict[str, Answer] = {"dermascan.contactmessage": 302}


def only(roles: tuple[str, ...], answer: Answer, **others: Answer) -> Answers:
    """Of those who work in the admin, ``roles`` get ``answer`` (or what ``others`` says for them), the rest 403."""
    return in_the_admin(403, **{role: others.get(role, answer) for role in roles})


@dataclass(frozen=True)
class Address:
    """One pattern of the URL configuration."""

    route: str
    name: str

    @property
    def table(self) -> tuple[str, str] | None:
        """(“app.model”, action) of an address of a table of the admin."""
        parts = self.route.split("/")
        models = {f"{model._meta.app_label}.{model._meta.model_name}" for model in admin.site._registry}
        label = ".".join(parts[1:3])
        if parts[0] != "admin" or label not in models or self.name == "admin:auth_user_password_change":
            return None
        return label, {"<path:object_id>": parts[-2]}.get(parts[3], parts[3] or "changelist").replace(
            "<path:object_id>", ""
        )

    def cases(self) -> list[Case]:
        if self.route == "admin/(?P<url>.*)$":
            return [Case(get=in_the_admin(404), post=in_the_admin(404))]
        if self.table:
            return [table_case(*self.table)] if self.table[0] in ADMIN else []
        return RULES.get(self.name, [])

    def path(self, case: Case, world: "World") -> str:
        if self.route == "admin/(?P<url>.*)$":
            return "/admin/there/is/nothing/here/"
        if self.name == "api-unknown":
            return "/api/v1/there/is/nothing/here/"
        ids = {key: str(world.objects[name].pk) for key, name in case.ids.items()}
        if self.table:
            return "/" + self.route.replace("<path:object_id>", ids.get("object_id", ""))
        return reverse(self.name, kwargs={**ids, **case.words})


def walk(patterns: list[Any], route: str = "", namespaces: tuple[str, ...] = ()) -> Iterator[Address]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from walk(pattern.url_patterns, here, inner)
        elif isinstance(pattern, URLPattern):
            yield Address(here, ":".join((*namespaces, pattern.name or "")))


ADDRESSES = list(walk(get_resolver().url_patterns))


def test_every_address_has_a_rule():
    missing = [f"{address.name or 'no name'} at /{address.route}" for address in ADDRESSES if not address.cases()]
    assert not missing, (
        "These addresses have no rule that says who may open them: "
        + ", ".join(missing)
        + ". Add each to RULES in tests/test_permissions.py under its name (a table of the admin: to ADMIN)."
    )


def test_every_rule_has_an_address():
    names = {address.name for address in ADDRESSES}
    assert not set(RULES) - names, "These rules are about nothing; take them out of RULES."
    tables = {address.table[0] for address in ADDRESSES if address.table}
    assert not set(ADMIN) - tables, "These rules are about nothing; take them out of ADMIN."


def test_every_rule_speaks_of_every_role():
    for address in ADDRESSES:
        for case in address.cases():
            assert set(case.get) == set(case.post) == set(ROLES), address


class World:
    """Two clinics, everyone who may knock, and one of each thing that they may ask for."""

    def __init__(self) -> None:
        home, elsewhere = factories.ClinicFactory(), factories.ClinicFactory()
        members = {role.value: factories.MemberFactory(clinic=home, role=role) for role in Role}
        patient = factories.PatientFactory(clinic=home, user=factories.UserFactory())
        other_patient = factories.PatientFactory(clinic=home, user=factories.UserFactory())
        self.users: dict[str, User | None] = {
            "anonymous": None,
            **{role: member.user for role, member in members.items()},
            "patient": patient.user,
            "other_patient": other_patient.user,
            "stranger": factories.MemberFactory(clinic=elsewhere, role=Role.DERMATOLOGIST).user,
            "superuser": factories.UserFactory(is_superuser=True, is_staff=True),
        }
        released_visit, signed_visit, open_visit = (photographed_visit(patient) for _number in range(3))
        dermatologist = members["dermatologist"]
        self.objects: dict[str, Any] = {
            "patient": patient,
            "open_visit": open_visit,
            "signed_visit": signed_visit,
            "released_visit": released_visit,
            "signed_report": signed_report(signed_visit, dermatologist),
            "released_report": signed_report(released_visit, dermatologist, released=True),
            "open_image": open_visit.images.get(),
            "released_image": released_visit.images.get(),
            "refused_image": refused_photograph(open_visit),
            "user": patient.user,
        }
        self.objects["lesion"] = self.objects["open_image"].lesion
        self.objects |= self._rows(members["staff"])
        self.sessions = {role: self._session(user) for role, user in self.users.items() if user}
        self.tokens = {role: Token.objects.create(user=user).key for role, user in self.users.items() if user}

    def _rows(self, member: Any) -> dict[str, Any]:
        """One row for each table of the admin, of the home clinic where tables know clinics."""
        image: Image = self.objects["open_image"]
        bystander = factories.UserFactory()
        message = ContactMessage.objects.create(name="A", email="a@clinic.example", message="Hello")
        return {
            "patients.clinic": member.clinic,
            "patients.member": member,
            "patients.user": member.user,
            "patients.patient": self.objects["patient"],
            "patients.visit": image.visit,
            "patients.lesion": image.lesion,
            "patients.consent": factories.ConsentFactory(patient=self.objects["patient"]),
            "diagnosis.image": image,
            "diagnosis.imagefeatures": image.features,
            "diagnosis.imageembedding": image.embedding,
            "diagnosis.prediction": image.predictions.get(),
            "diagnosis.report": self.objects["signed_report"],
            "mlmodel.modelversion": image.predictions.get().model_version,
            "dermascan.contactmessage": message,
            "auth.group": Group.objects.create(name="A group"),
            "account.emailaddress": EmailAddress.objects.create(user=bystander, email="b@clinic.example"),
            "mfa.authenticator": Authenticator.objects.create(
                user=bystander, type=Authenticator.Type.TOTP, data={"secret": "-"}
            ),
            "authtoken.tokenproxy": TokenProxy.objects.get(pk=Token.objects.create(user=bystander).pk),
        }

    @staticmethod
    def _session(user: User) -> str:
        client = Client()
        client.force_login(user)
        return client.cookies["sessionid"].value

    def answer(self, role: str, method: str, path: str, *, token: bool = False) -> Answer:
        """What ``role`` is answered. Whatever the request did is undone."""
        client = Client(raise_request_exception=False)
        if token and role in self.tokens:
            client.defaults["HTTP_AUTHORIZATION"] = f"Token {self.tokens[role]}"
        elif role in self.sessions:
            client.cookies["sessionid"] = self.sessions[role]
        with undone():
            response = getattr(client, method)(path)
            if response.streaming:
                list(response)  # closes the file
        if response.status_code != 302:
            return int(response.status_code)
        where = response["Location"].split("?")[0]
        known = {"/accounts/login/": SIGN_IN, "/admin/login/": ADMIN_SIGN_IN, "/admin/": ADMIN_INDEX}
        return known.get(where, 302)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[World]:
    """Made once: hundreds of requests look at it, and none may change it."""
    media = tmp_path_factory.mktemp("media")
    with django_db_blocker.unblock(), override_settings(MEDIA_ROOT=media), undone():
        yield World()


def marked(address: Address) -> Any:
    """The address as a parameter; the many that come with the admin and with allauth wait for a full run."""
    is_quick = address.name in QUICK or not address.route.startswith(("admin/", "accounts/"))
    return pytest.param(address, id=address.name or address.route, marks=[] if is_quick else pytest.mark.slow)


QUICK = {"account_login", "admin:index", "admin:diagnosis_image_changelist", "admin:diagnosis_image_change"}


@pytest.mark.django_db
@pytest.mark.parametrize("address", [marked(address) for address in ADDRESSES])
def test_who_may_open_it(world, address):
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
def test_the_api_knows_tokens_as_it_knows_sessions(world, name):
    (case,) = RULES[name]
    for method, expected in (("get", case.get), ("post", case.post)):
        assert {role: world.answer(role, method, reverse(name), token=True) for role in ROLES} == expected
