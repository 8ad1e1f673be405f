"""Facts in the record that have changed since a report was signed, such as a side, a name or a date of birth.

``changes_since_signing`` compares labels and photographs. Names of the clinic and clinicians are not compared: a
change of those makes nothing in the report wrong.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from diagnosis.images.models import Image
from diagnosis.reports.content import clinic_and_patient
from diagnosis.reports.models import Report
from diagnosis.reports.printable_text import without_controls
from patients.models import Lesion

Facts = dict[str, tuple[str, str]]  # by key: the label and the value, both in words


@dataclass(frozen=True)
class RecordChange:
    """One fact that differs from what was last reported."""

    key: str
    what: str
    then: str
    now: str

    @property
    def is_place(self) -> bool:
        """Whether it is the place of a lesion."""
        return self.key.startswith("lesion.") and self.key.endswith(".place")

    @property
    def is_in_another_record(self) -> bool:
        """Whether it is a photograph that turned out to show another patient."""
        return self.key.startswith("photograph.") and self.key.endswith(".patient")

    @property
    def is_of_course(self) -> bool:
        """Whether it is another next step or a laboratory result: the plan in the report may no longer hold."""
        return is_of_course(self.key)

    @property
    def is_of_patient(self) -> bool:
        """Whether it identifies the patient: a changed name does not make an older report misleading."""
        return self.key.startswith("patient.")


def is_of_course(key: str) -> bool:
    """As ``RecordChange.is_of_course``, by the key of a change."""
    return key.startswith("lesion.") and (key.endswith(".plan") or ".specimen." in key)


def record_changes_of(reports: Sequence[Report]) -> dict[UUID, list[RecordChange]]:
    """Return, by report, the facts that differ from the report and its addenda."""
    contents = {report.pk: json.loads(report.content) for report in reports}
    lesion_ids = {lesion["id"] for content in contents.values() for lesion in content["lesions"]}
    lesions = {str(lesion.pk): lesion for lesion in Lesion.objects.filter(pk__in=lesion_ids)} if lesion_ids else {}
    moves = photographs_moved_since(reports, contents)
    return {report.pk: _changes(report, contents[report.pk], lesions) + moves[report.pk] for report in reports}


def _changes(report: Report, content: dict[str, Any], lesions: dict[str, Lesion]) -> list[RecordChange]:
    reported = _facts(content)
    last = {key: value for key, (_what, value) in reported.items()} | already_reported(report)
    now = _facts(without_controls(_current_facts(report, content, lesions)))
    return [
        RecordChange(key, what, last[key], now[key][1])
        for key, (what, _then) in reported.items()
        if key in now and _with_single_spaces(last[key]) != _with_single_spaces(now[key][1])
    ]


def already_reported(report: Report) -> dict[str, str]:
    """Return the facts that the report's addenda have corrected, by key."""
    rows = (row for addendum in report.addenda.all() for row in json.loads(addendum.content).get("record", []))
    return {row["key"]: row["now"] for row in rows}


def photographs_moved_since(
    reports: Sequence[Report], contents: dict[UUID, dict[str, Any]]
) -> dict[UUID, list[RecordChange]]:
    """Return, by report, its photographs that are filed elsewhere now. One query for all reports.

    One that is in another patient's record is always returned: no addendum makes it right to show it.
    """
    keys = {
        photograph["id"]
        for content in contents.values()
        for lesion in content["lesions"]
        for photograph in lesion["photographs"]
    }
    images = Image.objects.filter(pk__in=keys).select_related("lesion", "visit") if keys else ()
    by_key = {str(image.pk): image for image in images}
    return {report.pk: list(_moves(report, contents[report.pk], by_key)) for report in reports}


def _moves(report: Report, content: dict[str, Any], by_key: dict[str, Image]) -> Iterator[RecordChange]:
    reported = already_reported(report)
    for lesion in content["lesions"]:
        for number, photograph in enumerate(lesion["photographs"], start=1):
            image = by_key.get(photograph["id"])
            if image is None:
                continue
            what = _("%(lesion)s: photograph %(number)d") % {"lesion": lesion["title"], "number": number}
            then = f"{lesion['title']}, {lesion['place']}"
            if image.visit.patient_id != report.visit.patient_id:
                yield RecordChange(f"photograph.{image.pk}.patient", what, then, _("not in this patient’s record"))
            elif str(image.lesion_id) != lesion["id"] or image.visit_id != report.visit_id:
                now = without_controls(str(image.lesion))
                if image.visit_id != report.visit_id:
                    now = f"{now}, {image.visit.date.isoformat()}"
                key = f"photograph.{image.pk}.lesion"
                if reported.get(key) != now:
                    yield RecordChange(key, what, then, now)


def _with_single_spaces(text: str) -> str:
    return " ".join(text.split())


def _facts(content: dict[str, Any]) -> Facts:
    patient, visit = content["patient"], content["visit"]
    facts: Facts = {
        "patient.name": (_("Patient’s name"), patient["name"]),
        "patient.birth_date": (_("Date of birth"), patient["birth_date"]),
        "patient.record_number": (_("Record number"), patient["record_number"]),
        "visit.date": (_("Date of the visit"), visit["date"]),
        "visit.complaint": (_("Complaint"), visit["complaint"]),
        "visit.symptoms": (_("Symptoms"), ", ".join(visit["symptoms"])),
        "visit.symptoms_since": (_("How long, or since when"), visit["symptoms_since"]),
        "visit.history": (_("History"), visit["history"]),
        "visit.plan": (_("Plan"), visit["plan"]),
    }
    for lesion in content["lesions"]:
        title, key = lesion["title"], f"lesion.{lesion['id']}"
        if "number" in lesion:
            facts[f"{key}.number"] = (_("%(lesion)s: number") % {"lesion": title}, str(lesion["number"]))
        facts[f"{key}.place"] = (_("%(lesion)s: place") % {"lesion": title}, lesion["place"])
        facts[f"{key}.description"] = (_("%(lesion)s: description") % {"lesion": title}, lesion["description"])
        facts[f"{key}.noticed"] = (_("%(lesion)s: first noticed") % {"lesion": title}, lesion["noticed_on"] or "")
    return facts


def _current_facts(report: Report, content: dict[str, Any], lesions: dict[str, Lesion]) -> dict[str, Any]:
    """The content of the report with the record's current facts."""
    visit = report.visit
    of_report = [lesions[lesion["id"]] for lesion in content["lesions"] if lesion["id"] in lesions]
    # A lesion that was moved to another patient since is no longer this report's affair.
    current = [lesion for lesion in of_report if lesion.patient_id == visit.patient_id]
    return {
        **clinic_and_patient(visit),
        "visit": {
            "date": visit.date.isoformat(),
            "complaint": visit.complaint,
            "symptoms": visit.symptoms,
            "symptoms_since": visit.symptoms_since,
            "history": visit.history,
            "plan": visit.plan,
        },
        "lesions": [
            {
                "id": str(lesion.pk),
                "title": lesion.title,
                "number": lesion.number,
                "place": lesion.place,
                "description": lesion.description,
                "noticed_on": lesion.noticed.isoformat() if lesion.noticed else None,
            }
            for lesion in current
        ],
    }
