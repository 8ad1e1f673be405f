"""Creation of the demo clinic from ``clinic.toml``, through the services that its staff would use."""

import datetime
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from dermascan.core.errors import Refused
from dermascan.core.rough_dates import RoughDate
from diagnosis.assessment.uploads import add_image
from diagnosis.followup.reminder_choices import choose_reminders
from diagnosis.images.devices import add_device, calibrate_device
from diagnosis.images.facts import StatedFacts
from diagnosis.images.kinds import PhotographKind
from diagnosis.images.models import Image
from diagnosis.measures.services import measure_visit, state_scale
from diagnosis.record.demo import DEMO_PASSWORD, USER_NAMES
from diagnosis.record.demo.demo_opinions import add_opinion
from diagnosis.record.demo.demo_outcomes import add_specimen
from diagnosis.record.demo.demo_plans import add_demo_plan
from diagnosis.record.demo.sample_photographs import take_photograph
from diagnosis.reports.services import release_report, sign_visit
from diagnosis.reviews.models import ConfirmedLabel, ManagementDecision, QueueEntry
from diagnosis.reviews.services import record_review
from patients.edits import change_record
from patients.models import Clinic, Lesion, Member, Patient, User, Visit
from patients.services import (
    RiskStatement,
    add_lesion,
    enrol_member,
    log_visit,
    place_lesion,
    record_consent,
    record_risk,
    record_symptoms,
    register_patient,
)
from patients.services.accounts import make_user


class DemoRefused(Refused):
    """The demo clinic must not or cannot be created here."""

    code = "demo_refused"


def create_demo_clinic() -> tuple[Clinic, bool]:
    """Create the demo clinic unless it exists; return it and whether it is new. Raises ``DemoRefused``."""
    if not settings.DEMO_ALLOWED:
        raise DemoRefused(
            "The demo clinic's password is published, so these settings forbid it (DEMO_ALLOWED is false). "
            "Create it in the embedded set-up, which “make run” starts."
        )
    demo = tomllib.loads((Path(__file__).parent / "clinic.toml").read_text(encoding="utf-8"))
    if clinic := Clinic.objects.filter(name=demo["name"]).first() or _renamed():
        return clinic, False
    if taken := User.objects.filter(username__in=USER_NAMES).values_list("username", flat=True):
        raise DemoRefused(f"Other accounts already have the demo's user names: {', '.join(sorted(taken))}.")
    # In one transaction: a half-created clinic would be taken for a complete one at the next start.
    with transaction.atomic():
        return _build(demo), True


def _renamed() -> Clinic | None:
    """Return the demo clinic if its manager has renamed it: its account has the demo's user name and password."""
    member = Member.objects.filter(user__username=USER_NAMES[0]).select_related("user", "clinic").first()
    return member.clinic if member and member.user.check_password(DEMO_PASSWORD) else None


def _build(demo: dict[str, Any]) -> Clinic:
    clinic = Clinic.objects.create(name=demo["name"], address=demo["address"], phone=demo["phone"])
    members = {account["user_name"]: _add_account(clinic, account) for account in demo["accounts"]}
    for device in demo["devices"]:
        _add_device(device, by=members["dermatologist"])
    choose_reminders(by=members["manager"], is_on=True, days_before=14, days_after=7, seen=0)
    for patient in demo["patients"]:
        _add_patient(patient, nurse=members["staff"], dermatologist=members["dermatologist"])
    return clinic


def _add_account(clinic: Clinic, account: dict[str, Any]) -> Member:
    member = enrol_member(
        clinic=clinic,
        username=account["user_name"],
        email=_email(account),
        role=account["role"],
        first_name=account["given_name"],
        last_name=account["family_name"],
    )
    _give_demo_password(member.user)
    return member


def _add_device(data: dict[str, Any], *, by: Member) -> None:
    calibration = data.pop("calibration", None)
    device = add_device(by=by, **data)
    if calibration:
        calibrate_device(device=device, by=by, **{**calibration, "width_mm": Decimal(calibration["width_mm"])})


def _add_patient(data: dict[str, Any], *, nurse: Member, dermatologist: Member) -> Patient:
    patient = register_patient(
        by=nurse,
        given_name=data["given_name"],
        family_name=data["family_name"],
        birth_date=data["birth_date"],
        sex=data["sex"],
        skin_type=data["skin_type"],
        email=_email(data),
        phone=data["phone"],
        history=data["history"],
    )
    if "user_name" in data:
        _link_account(patient, data)
    facts = {row["kind"]: RiskStatement(row["answer"], row.get("detail", "")) for row in data.get("risk", [])}
    record_risk(patient=patient, by=nurse, statements=facts)
    for consent in data.get("consents", []):
        record_consent(patient=patient, by=nurse, **consent)
    lesions = [
        add_lesion(
            patient=patient,
            by=nurse,
            body_site=lesion["body_site"],
            side=lesion["side"],
            noticed=RoughDate.of(_day(lesion["noticed_days_ago"]), lesion["noticed_precision"]),
            description=lesion["description"],
        )
        for lesion in data["lesions"]
    ]
    for lesion, values in zip(lesions, data["lesions"], strict=True):
        if "place" in values:
            place_lesion(lesion=lesion, by=nurse, **values["place"])
    for visit in data["visits"]:
        _add_visit(patient, visit, lesions, nurse=nurse, dermatologist=dermatologist)
    for specimen in data.get("specimens", []):
        add_specimen(specimen, lesions, nurse=nurse, dermatologist=dermatologist)
    for plan in data.get("plans", []):
        add_demo_plan(plan, lesions[plan["lesion"] - 1], dermatologist=dermatologist)
    for opinion in data.get("opinions", []):
        add_opinion(opinion, lesions[opinion["lesion"] - 1], dermatologist=dermatologist)
    return patient


def _link_account(patient: Patient, data: dict[str, Any]) -> None:
    """Give the patient an account, without the e-mail that asks for a password."""
    account = make_user(
        clinic=patient.clinic,
        username=data["user_name"],
        # Empty, since the patient record already has this address.
        email="",
        first_name=patient.given_name,
        last_name=patient.family_name,
    )
    _give_demo_password(account)
    change_record(patient, {"user": account}, by=patient.created_by.user)
    patient.save(update_fields=["user", "changed_by", "changed_at"])


def _add_visit(
    patient: Patient, data: dict[str, Any], lesions: list[Lesion], *, nurse: Member, dermatologist: Member
) -> None:
    """Log the visit, add and review its photographs, and sign or release it according to its outcome."""
    facts = {
        key: value for key, value in data.items() if key not in {"days_ago", "photographs", "symptoms", "outcome"}
    }
    visit = log_visit(patient=patient, by=nurse, clinician=dermatologist, date=_day(data["days_ago"]), **facts)
    for told in data.get("symptoms", []):
        answers = {name: answer for name, answer in told.items() if name != "lesion"}
        record_symptoms(visit=visit, lesion=lesions[told["lesion"] - 1], by=nurse, **answers)
    for photograph in data["photographs"]:
        _add_photograph(visit, photograph, lesions[photograph["lesion"] - 1], nurse=nurse, dermatologist=dermatologist)
    if data["outcome"] in {"signed", "released"}:
        measure_visit(visit=visit)
        report = sign_visit(visit=visit, by=dermatologist)
        if data["outcome"] == "released":
            release_report(report=report, by=dermatologist)


def _add_photograph(
    visit: Visit, data: dict[str, Any], lesion: Lesion, *, nurse: Member, dermatologist: Member
) -> None:
    changes = {key: data[key] for key in ("crop", "rotate", "blur") if key in data}
    upload = SimpleUploadedFile(
        name=f"{visit.date:%Y%m%d}-lesion-{lesion.number}{'-blurred' if 'blur' in data else ''}.jpg",
        content=take_photograph(sample=data["sample"], **changes),
        content_type="image/jpeg",
    )
    device = visit.patient.clinic.devices.filter(default_kind=PhotographKind.DERMOSCOPIC).first()
    stated = StatedFacts(device=device, is_cropped="crop" in data)
    image = add_image(visit=visit, lesion=lesion, upload=upload, by=nurse, stated=stated)
    if "width_mm" in data:
        state_scale(image=image, by=nurse, width_mm=Decimal(data["width_mm"]))
    if "review" in data:
        record_review(image=image, reviewer=dermatologist, was_blinded=True, **data["review"])
    if "decision" in data:
        # Without the signal: the plan that follows would count from today. It is among the patient's plans.
        ManagementDecision.objects.create(lesion=lesion, member=dermatologist, **data["decision"])
    _backdate(image, to=visit.date)


def _backdate(image: Image, *, to: datetime.date) -> None:
    """Backdate photograph, prediction and review to the visit's day. Only invented records may be backdated."""
    moment = timezone.make_aware(datetime.datetime.combine(to, datetime.time(10, 42)))
    moment = min(moment, image.created_at)
    Image.objects.filter(pk=image.pk).update(created_at=moment)
    image.predictions.update(created_at=moment)
    later = moment + datetime.timedelta(minutes=20)
    image.reviews.update(created_at=later)
    image.label_changes.update(created_at=later)
    ConfirmedLabel.objects.filter(image=image, settled_at__isnull=False).update(settled_at=later)
    QueueEntry.objects.filter(image=image).update(entered_at=moment)


def _give_demo_password(user: User) -> None:
    user.set_password(DEMO_PASSWORD)
    user.save(update_fields=["password"])


def _email(data: dict[str, Any]) -> str:
    return f"{data['given_name']}.{data['family_name']}@northfield.example".lower()


def _day(days_ago: int) -> datetime.date:
    return timezone.localdate() - datetime.timedelta(days=days_ago)
