"""One clinic at its screens: each act goes through the page that people use, and is written into the ledger."""

import datetime
import hashlib
from collections.abc import Mapping
from typing import Any

from django.test import Client
from django.urls import reverse

from diagnosis.opinions.models import OpinionRequest
from diagnosis.outcomes.models import Specimen as SpecimenRow
from diagnosis.reviews.queue import refresh_queue_entry
from patients.models import Clinic, Member, Role
from patients.models import Visit as VisitRow
from tests import factories
from tests.diagnosis.photographing import sample, upload_of
from tests.diagnosis.reporting import signed_report
from tests.drill.clock import Clock
from tests.drill.ledger import (
    DAYS,
    Edit,
    Ledger,
    Lesion,
    Opinion,
    Patient,
    Photograph,
    Report,
    Result,
    Specimen,
    Visit,
)
from tests.page_forms import filled_in, form_with

STAFF, DERMATOLOGIST, COLLEAGUE, MANAGER = "staff", "dermatologist", "colleague", "manager"
_ROLES = {STAFF: Role.STAFF, DERMATOLOGIST: Role.DERMATOLOGIST, COLLEAGUE: Role.DERMATOLOGIST, MANAGER: Role.MANAGER}


class Desk:
    """A clinic with its people. ``surname``: the family name of all its patients, by which leaks are found."""

    def __init__(self, clinic: Clinic, *, surname: str, clock: Clock) -> None:
        self.clinic, self.surname, self.clock, self.ledger = clinic, surname, clock, Ledger()
        self.members: dict[str, Member] = {
            who: factories.MemberFactory.create(
                clinic=clinic, role=role, user__first_name=who.title(), user__last_name=f"Of{surname}"
            )
            for who, role in _ROLES.items()
        }
        self._clients: dict[str, tuple[datetime.date, Client]] = {}

    @property
    def today(self) -> datetime.date:
        return self.clock.today

    def name_of(self, who: str) -> str:
        return self.members[who].name

    def address_of(self, given: str) -> str:
        """The e-mail address of a patient, at a domain that this clinic’s patients alone have."""
        return f"{given}@{self.surname}.example".lower()

    def client(self, who: str) -> Client:
        """A signed-in browser; sessions end overnight."""
        since, client = self._clients.get(who, (datetime.date.min, Client()))
        if self.today != since:
            client = Client()
            client.force_login(self.members[who].user)
            self._clients[who] = (self.today, client)
        return client

    def get(self, who: str, address: str, **query: str) -> Any:
        page = self.client(who).get(address, query)
        assert page.status_code == 200, (address, page.status_code)
        return page

    def post(self, who: str, address: str, data: Mapping[str, Any], *, status: int = 302) -> Any:
        answer = self.client(who).post(address, data)
        assert answer.status_code == status, (address, data, answer.status_code, errors_on(answer))
        assert "/login/" not in answer.headers.get("Location", ""), address
        return answer

    # --- Who comes, and what is seen ----------------------------------------------------------------------------

    def register(self, given: str, born: str = "1961-03-14", *, email: str = "") -> Patient:
        number = f"{self.surname[0]}-{len(self.ledger.patients) + 1:03}"
        data = {
            "given_name": given, "family_name": self.surname, "birth_date": born, "record_number": number,
            "sex": "female", "email": email,
        }  # fmt: skip
        answer = self.post(STAFF, reverse("patient-new"), data)
        patient = Patient(key_in(answer.url), number, f"{given} {self.surname}", email, {email} - {""})
        self.ledger.patients.append(patient)
        return patient

    def add_lesion(self, patient: Patient, site: str = "shoulder") -> Lesion:
        answer = self.post(STAFF, reverse("lesion-new", args=[patient.key]), {"body_site": site, "side": "left"})
        number = 1 + sum(lesion.patient is patient for lesion in self.ledger.lesions)
        lesion = Lesion(key_in(answer.url), patient, number)
        self.ledger.lesions.append(lesion)
        return lesion

    def log_visit(self, patient: Patient, complaint: str = "A mole that has changed") -> Visit:
        data = {
            "date": self.today.isoformat(), "clinician": str(self.members[DERMATOLOGIST].pk), "complaint": complaint,
        }  # fmt: skip
        answer = self.post(STAFF, reverse("visit-new", args=[patient.key]), data)
        visit = Visit(key_in(answer.url), patient, self.today)
        self.ledger.visits.append(visit)
        return visit

    def photograph(self, visit: Visit, lesion: Lesion, number: int, *, answer: str = "") -> Photograph:
        """Upload one of the sample photographs, which the network judges; with ``answer`` it is reviewed too."""
        # What follows the picture in its file makes it another file with the same pixels.
        file = upload_of(sample(number) + f"{visit.key} {lesion.key}".encode(), f"{number}.jpg")
        sent = self.client(STAFF).post(
            reverse("upload", args=[visit.key]),
            {"lesion": lesion.key, "files": [file]},
            headers={"Accept": "application/json"},
        )
        assert sent.status_code == 200, sent.text
        answered = sent.json()
        image = Photograph(answered["id"], lesion, visit, answered["tier"], self.today)
        return self._kept(image, answer)

    def stored_photograph(self, visit: Visit, lesion: Lesion, *, answer: str = "") -> Photograph:
        """A photograph as the record stores it, which the network has called a calm nevus: it takes no time."""
        row = factories.ImageFactory.create(
            lesion_id=lesion.key, lesion=None, visit_id=visit.key, visit=None, uploaded_by=self.members[STAFF]
        )
        factories.PredictionFactory.create(image=row)
        refresh_queue_entry(image=row)
        return self._kept(Photograph(str(row.pk), lesion, visit, "calm", self.today), answer)

    def _kept(self, image: Photograph, answer: str) -> Photograph:
        self.ledger.photographs.append(image)
        if answer:
            self.review(image, answer)
        return image

    def review(self, image: Photograph, answer: str, *, by: str = DERMATOLOGIST) -> None:
        data = {
            "answer": answer,
            "certainty": "certain",
            "reason": "Its structure is regular.",
            "basis": "dermatoscopy",
        }
        self.post(by, reverse("image-review", args=[image.key]), data)
        image.label = answer

    # --- What happens next --------------------------------------------------------------------------------------

    def plan(self, lesion: Lesion, step: str, days: int = 0, *, by: str = DERMATOLOGIST) -> None:
        """State the next step, ``days`` from now; a discharge has no date."""
        due = None if step == "discharge" else self.today + DAYS(days=days)
        address = reverse("lesion-plan", args=[lesion.key])
        data = {"step": step, "due_in": "date" if due else "", "due_on": due.isoformat() if due else ""}
        # As the page shows it: the key of the plan that stands.
        seen = form_with(self.get(by, address).text, "seen").data["seen"]
        self.post(by, address, {**data, "seen": seen})
        self.ledger.plan(lesion, step, due, by=by)

    def close_visit(self, visit: Visit) -> None:
        """Sign a visit as the tests of the portal do, without the seconds that a PDF takes."""
        row = VisitRow.objects.select_related("patient__clinic").get(pk=visit.key)
        key = str(signed_report(row, self.members[DERMATOLOGIST]).pk)
        visit.state = "signed"
        self.ledger.sign(key, visit, self.sha256_of(reverse("report-pdf", args=[key])))

    def sign(self, visit: Visit, step: str, days: int, *, plan: str = "", release: bool = False) -> Report:
        """Sign with the same next step for each lesion of the visit, and read the PDF as the clinic does."""
        address = reverse("visit-sign", args=[visit.key])
        page = self.get(DERMATOLOGIST, address)
        due = self.today + DAYS(days=days)
        data: dict[str, Any] = {**form_with(page.text, "release").data, "plan": plan}
        if release:
            data["release"] = "on"
        lesions = {
            id(each.lesion): each.lesion for each in self.ledger.photographs if each.visit is visit and each.in_use
        }
        for lesion in lesions.values():
            data |= {f"lesion-{lesion.number}-step": step, f"lesion-{lesion.number}-due_in": "date"}
            data[f"lesion-{lesion.number}-due_on"] = due.isoformat()
        self.post(DERMATOLOGIST, address, data)
        visit.state = "released" if release else "signed"
        row = VisitRow.objects.get(pk=visit.key)
        assert row.status == visit.state, row.status
        for lesion in lesions.values():
            self.ledger.plan(lesion, step, due, by=DERMATOLOGIST)
        # Signing writes the next steps into the visit’s plan, which its history tells.
        history, told = reverse("visit-history", args=[visit.key]), f"{due.day} {due:%B} {due.year}"
        self.ledger.edits.append(Edit(history, "", told, DERMATOLOGIST, self.today))
        key = str(row.report.pk)
        return self.ledger.sign(key, visit, self.sha256_of(reverse("report-pdf", args=[key])))

    def sha256_of(self, address: str) -> str:
        """The hash of a file exactly as it was signed, whatever its page says by now."""
        served = self.client(DERMATOLOGIST).get(address, {"as": "signed"})
        assert served.status_code == 200, (address, served.status_code)
        return hashlib.sha256(served.getvalue()).hexdigest()

    def add_addendum(self, report: Report, words: str) -> None:
        address = reverse("visit-addendum", args=[report.visit.key])
        form = form_with(self.get(DERMATOLOGIST, address).text, "words")
        data, asked = form.data, {"replaces_plan": "yes"} if "replaces_plan" in form.names else {}
        self.post(DERMATOLOGIST, address, {**data, "words": words, **asked})
        report.addenda += 1
        for row in self.ledger.contradictions:
            row.told = row.told or row.report is report

    # --- The laboratory -----------------------------------------------------------------------------------------

    def send_specimen(self, lesion: Lesion, *, kind: str = "punch", visit: Visit | None = None) -> Specimen:
        number = f"{self.surname[0]}{len(self.ledger.specimens) + 1:04}"
        address = reverse("specimen-new", args=[lesion.key])
        changes = {"kind": kind, "number": number, "visit": visit.key if visit else ""}
        self.post(STAFF, address, filled_in(self.client(STAFF), address, "sent_on", **changes))
        specimen = Specimen(str(SpecimenRow.objects.get(number=number, clinic=self.clinic).pk), lesion, self.today)
        self.ledger.send(specimen, by=STAFF)
        return specimen

    def enter_result(self, specimen: Specimen, answer: str, *, by: str = STAFF) -> Result:
        address = reverse("pathology-new", args=[specimen.key])
        changes = {"received_on": self.today.isoformat(), "answer": answer, "margins": "clear"}
        sent = self.post(by, address, filled_in(self.client(by), address, "received_on", **changes))
        result = Result(key_in(sent.url), specimen, answer, self.today)
        self.ledger.results.append(result)
        return result

    def confirm(self, result: Result) -> None:
        self.post(DERMATOLOGIST, reverse("pathology-confirm", args=[result.key]), {})
        self.ledger.confirm(result, self.today)

    # --- Second opinions ----------------------------------------------------------------------------------------

    def ask(self, image: Photograph, *, days: int = 7, outside: str = "") -> Opinion:
        asked = (
            {"whom": "outside", "full_name": outside, "email": "doctor@hospital.example"}
            if outside
            else {"whom": "colleague", "colleague": str(self.members[COLLEAGUE].pk)}
        )
        data = {**asked, "photographs": [image.key], "question": "Would you excise it?", "days": str(days)}
        address = reverse("opinion-ask", args=[image.lesion.key])
        self.post(DERMATOLOGIST, address, data, status=201 if outside else 302)
        row = OpinionRequest.objects.filter(lesion_id=image.lesion.key).latest("created_at")
        until = self.today + DAYS(days=days)
        opinion = Opinion(str(row.pk), image.lesion, DERMATOLOGIST, outside or COLLEAGUE, until)
        self.ledger.opinions.append(opinion)
        return opinion

    def answer(self, opinion: Opinion, answer: str) -> None:
        data = {"answer": answer, "certainty": "certain", "reason": "Regular, I would follow it."}
        self.post(COLLEAGUE, reverse("opinion-answer", args=[opinion.key]), data)
        opinion.answered = self.today

    def read_answer(self, opinion: Opinion) -> None:
        self.get(DERMATOLOGIST, reverse("opinion", args=[opinion.key]))
        opinion.read = True

    # --- What is edited in place --------------------------------------------------------------------------------

    def edit_patient(self, patient: Patient, *, by: str, before: str, after: str, **changes: str) -> None:
        address = reverse("patient-edit", args=[patient.key])
        self.post(by, address, filled_in(self.client(by), address, "made_from", **changes))
        patient.email = changes.get("email", patient.email)
        patient.addresses.add(patient.email)
        page = reverse("patient-history", args=[patient.key])
        self.ledger.edits.append(Edit(page, before, after, by, self.today))


def key_in(url: str) -> str:
    """Return the key in an address such as /patients/<key>/."""
    return url.split("#")[0].split("?")[0].strip("/").split("/")[-1]


def errors_on(answer: Any) -> Any:
    context = getattr(answer, "context", None) or {}
    form = context.get("form") if "form" in context else None
    return dict(form.errors) if form is not None else answer.content.decode()[:500]
