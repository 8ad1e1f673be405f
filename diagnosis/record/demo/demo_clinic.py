"""Build the demo clinic out of ``clinic.toml`` by doing what its people would do."""

import datetime
import tomllib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone

from dermascan.core.rough_dates import RoughDate
from diagnosis.assessment.uploads import add_image
from diagnosis.images.models import Image
from diagnosis.measures.services import measure_visit
from diagnosis.record.demo import DEMO_PASSWORD, USER_NAMES
from diagnosis.record.demo.sample_photographs import take_photograph
from diagnosis.reports.services import release_report, sign_visit
from diagnosis.reviews.models import ConfirmedLabel, QueueEntry
from diagnosis.reviews.services import record_review
from patients.models import Clinic, Lesion, Member, Patient, User, Visit
from patients.services import add_lesion, enrol_member, log_visit, record_consent, register_patient
from patients.services.accounts import make_user


class DemoRefused(Exception):
    """The demo clinic may not, or cannot, be made here."""


def create_demo_clinic() -> tuple[Clinic, bool]:
    """Make the demo clinic unless it is there; return it and whether it was made. Raises ``DemoRefused``."""
    if not settings.DEMO_ALLOWED:
        raise DemoRefused(
            "A demo clinic's password is published, so these settings forbid one (DEMO_ALLOWED is false). "
            "It can be made in the embedded set-up, which “make run” starts."
        )
    told = tomllib.loads((Path(__file__).parent / "clinic.toml").read_text(encoding="utf-8"))
    if clinic := Clinic.objects.filter(name=told["name"]).first() or _renamed():
        return clinic, False
    if taken := User.objects.filter(username__in=USER_NAMES).values_list("username", flat=True):
        raise DemoRefused(f"Accounts of other people have the demo's user names: {', '.join(sorted(taken))}.")
    # All or nothing: a clinic that was interrupted half-way would pass for a whole one at the next start.
    with transaction.atomic():
        return _build(told), True


def _renamed() -> Clinic | None:
    """The demo clinic under the name that its manager has given it: its people and their password are the demo's."""
    member = Member.objects.filter(user__username=USER_NAMES[0]).select_related("user", "clinic").first()
    return member.clinic if member and member.user.check_password(DEMO_PASSWORD) else None


def _build(told: dict[str, Any]) -> Clinic:
    clinic = Clinic.objects.create(name=told["name"], address=told["address"], phone=told["phone"])
    members = {account["user_name"]: _add_account(clinic, account) for account in told["accounts"]}
    for patient in told["patients"]:
        _add_patient(patient, nurse=members["staff"], dermatologist=members["dermatologist"])
    return clinic


def _add_account(clinic: Clinic, told: dict[str, Any]) -> Member:
    member = enrol_member(
        clinic=clinic,
        username=told["user_name"],
        email=_email(told),
        role=told["role"],
        first_name=told["given_name"],
        last_name=told["family_name"],
    )
    _give_demo_password(member.user)
    return member


def _add_patient(told: dict[str, Any], *, nurse: Member, dermatologist: Member) -> Patient:
    patient = register_patient(
        by=nurse,
        given_name=told["given_name"],
        family_name=told["family_name"],
        birth_date=told["birth_date"],
        sex=told["sex"],
        skin_type=told["skin_type"],
        email=_email(told),
        phone=told["phone"],
        history=told["history"],
    )
    if "user_name" in told:
        _link_account(patient, told)
    for consent in told.get("consents", []):
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
        for lesion in told["lesions"]
    ]
    for visit in told["visits"]:
        _hold_visit(patient, visit, lesions, nurse=nurse, dermatologist=dermatologist)
    return patient


def _link_account(patient: Patient, told: dict[str, Any]) -> None:
    """Give the patient an account, without the mail that would ask for a password."""
    patient.user = make_user(
        clinic=patient.clinic,
        username=told["user_name"],
        # The record itself has this address already, so the account goes without.
        email="",
        first_name=patient.given_name,
        last_name=patient.family_name,
    )
    _give_demo_password(patient.user)
    patient.save(update_fields=["user"])


def _hold_visit(
    patient: Patient, told: dict[str, Any], lesions: list[Lesion], *, nurse: Member, dermatologist: Member
) -> None:
    """Log the visit, take and review its photographs, and sign or release it as its outcome says."""
    facts = {key: value for key, value in told.items() if key not in {"days_ago", "photographs", "outcome"}}
    visit = log_visit(patient=patient, by=nurse, clinician=dermatologist, date=_day(told["days_ago"]), **facts)
    for photograph in told["photographs"]:
        _take(visit, photograph, lesions[photograph["lesion"] - 1], nurse=nurse, dermatologist=dermatologist)
    if told["outcome"] in {"signed", "released"}:
        measure_visit(visit=visit)
        report = sign_visit(visit=visit, by=dermatologist)
        if told["outcome"] == "released":
            release_report(report=report, by=dermatologist)


def _take(visit: Visit, told: dict[str, Any], lesion: Lesion, *, nurse: Member, dermatologist: Member) -> None:
    changes = {key: told[key] for key in ("crop", "rotate", "blur") if key in told}
    upload = SimpleUploadedFile(
        name=f"{visit.date:%Y%m%d}-lesion-{lesion.number}{'-blurred' if 'blur' in told else ''}.jpg",
        content=take_photograph(sample=told["sample"], **changes),
        content_type="image/jpeg",
    )
    image = add_image(visit=visit, lesion=lesion, upload=upload, by=nurse)
    if "review" in told:
        record_review(image=image, reviewer=dermatologist, **told["review"])
    _date_back(image, to=visit.date)


def _date_back(image: Image, *, to: datetime.date) -> None:
    """Let photograph, answer and review be of the day of the visit. Only invented records may be dated otherwise."""
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


def _email(told: dict[str, Any]) -> str:
    return f"{told['given_name']}.{told['family_name']}@northfield.example".lower()


def _day(days_ago: int) -> datetime.date:
    return timezone.localdate() - datetime.timedelta(days=days_ago)
