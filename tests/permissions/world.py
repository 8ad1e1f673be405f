"""The users and records of the permission tests: created once, requested hundreds of times, never changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.utils import timezone

from dermascan.models import ContactMessage, WorkerHeartbeat
from diagnosis.corrections.models import Correction
from diagnosis.images.models import Image
from diagnosis.opinions.services import OutsideDoctor, ask_for_opinion
from diagnosis.outcomes.pathology import Findings, enter_result
from diagnosis.outcomes.report_files import ReportFile
from diagnosis.record.search.models import SavedFilter
from diagnosis.retraining.models import TrainingRun, VersionProposal
from mlmodel.versions.serving import active_version
from patients.models import Role, User
from tests import factories
from tests.diagnosis.outcomes.records import PDF, sent
from tests.diagnosis.reporting import (
    earlier_photograph,
    photographed_visit,
    refused_photograph,
    signed_addendum,
    signed_report,
)
from tests.permissions.answers import ADMIN_INDEX, ADMIN_SIGN_IN, SIGN_IN, Answer


class World:
    """Two clinics, a user of each role, and one object of each kind that can be requested."""

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
            "incident": factories.IncidentFactory(clinic=home),
            "open_image": open_visit.images.get(),
            "released_image": released_visit.images.get(),
            "refused_image": refused_photograph(open_visit),
            "user": patient.user,
            "version": active_version(),
            "message": factories.OutgoingMessageFactory(user=patient.user),
        }
        for kind in ("released", "signed"):
            self.objects[f"{kind}_addendum"] = signed_addendum(self.objects[f"{kind}_report"], dermatologist)
        self.objects["proposal"] = VersionProposal.objects.create(
            version=active_version(),
            replaces=active_version(),
            needs="clinic",
            reason="Better.",
            proposed_by=dermatologist.user,
            proposed_clinic=home,
        )
        self.objects["correction"] = Correction.objects.create(
            clinic=home, kind="void", title="Visit", reason="Entered twice.", steps=[], by=dermatologist
        )
        self.objects["training_run"] = TrainingRun.objects.create(parent=active_version())
        self.objects["device"] = factories.DeviceFactory(clinic=home, created_by=dermatologist)
        self.objects["lesion"] = self.objects["open_image"].lesion
        self.objects["opinion"], _code = ask_for_opinion(
            lesion=self.objects["lesion"],
            by=dermatologist,
            of=OutsideDoctor("Dr Ines Prado", "prado@hospital.example"),
            images=[self.objects["open_image"]],
            question="What is it?",
            days=7,
        )
        self.objects["earlier_image"] = earlier_photograph(self.objects["open_image"])
        self.objects["specimen"] = sent(self.objects["lesion"], members["staff"], age=0)
        self.objects["pathology"] = enter_result(
            specimen=sent(self.objects["lesion"], members["staff"], age=0, number="H26-00017"),
            by=members["staff"],
            findings=Findings(received_on=timezone.localdate(), answer="mel"),
            file=ReportFile(PDF, "report.pdf", "application/pdf"),
        )
        self.objects["saved_filter"] = SavedFilter.objects.create(
            member=members["staff"], number=1, listing="lesions", name="Urgent", parameters="tier=urgent"
        )
        self.objects["plan"] = self.objects["lesion"].plans.standing().get()  # the specimens' result is awaited
        factories.api_key(members["staff"])
        self.objects["api_token"] = members["staff"].api_tokens.get()
        self.objects |= self._rows(members["staff"])
        self.sessions = {role: self._session(user) for role, user in self.users.items() if user}
        self.tokens = {
            role: factories.api_key(user.member)
            for role, user in self.users.items()
            if user and hasattr(user, "member")
        }

    def _rows(self, member: Any) -> dict[str, Any]:
        """Return one row for each admin table, of the home clinic if the table belongs to clinics."""
        image: Image = self.objects["open_image"]
        bystander = factories.UserFactory()
        message = ContactMessage.objects.create(name="A", email="a@clinic.example", message="Hello")
        return {
            "patients.clinic": member.clinic,
            "patients.member": member,
            "patients.user": member.user,
            "patients.outgoingmessage": self.objects["message"],
            "patients.patient": self.objects["patient"],
            "patients.visit": image.visit,
            "patients.lesion": image.lesion,
            "patients.consent": factories.ConsentFactory(patient=self.objects["patient"]),
            "diagnosis.image": image,
            "diagnosis.imagefeatures": image.features,
            "diagnosis.imageembedding": image.embedding,
            "diagnosis.prediction": image.predictions.get(),
            "diagnosis.queueentry": image.queue_entry,
            "diagnosis.report": self.objects["signed_report"],
            "diagnosis.addendum": self.objects["signed_addendum"],
            "mlmodel.modelversion": image.predictions.get().model_version,
            "dermascan.contactmessage": message,
            "dermascan.workerheartbeat": WorkerHeartbeat.objects.create(
                name="worker@clinic", queue="celery", process=1, heard_at=timezone.now()
            ),
            "auth.group": Group.objects.create(name="A group"),
            "account.emailaddress": EmailAddress.objects.create(user=bystander, email="b@clinic.example"),
            "mfa.authenticator": Authenticator.objects.create(
                user=bystander, type=Authenticator.Type.TOTP, data={"secret": "-"}
            ),
            "patients.apitoken": self.objects["api_token"],
        }

    @staticmethod
    def _session(user: User) -> str:
        client = Client()
        client.force_login(user)
        return client.cookies["sessionid"].value

    def answer(self, role: str, method: str, path: str, *, token: bool = False) -> Answer:
        """Return the response that ``role`` gets. The request's changes are rolled back."""
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
        target = response["Location"].split("?")[0]
        names = {"/accounts/login/": SIGN_IN, "/admin/login/": ADMIN_SIGN_IN, "/admin/": ADMIN_INDEX}
        return names.get(target, 302)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
