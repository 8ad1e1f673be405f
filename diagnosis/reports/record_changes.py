"""What the record says otherwise than a signed report: a corrected side, name or date of birth.

Labels and photographs have a comparison of their own (``since``). The names of clinic and clinicians are left out:
they change without anything in the report becoming wrong.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from diagnosis.reports.content import clinic_and_patient
from diagnosis.reports.models import Report
from diagnosis.reports.printable_text import without_controls
from patients.models import Lesion

Facts = dict[str, tuple[str, str]]  # by key: what it is, and its value, both in words


@dataclass(frozen=True)
class RecordChange:
    """One fact that the readers of a report were told otherwise."""

    key: str
    what: str
    then: str
    now: str

    @property
    def is_place(self) -> bool:
        """Whether it says where a lesion is."""
        return self.key.startswith("lesion.") and self.key.endswith(".place")

    @property
    def is_of_patient(self) -> bool:
        """Whether it says who the patient is: a name that changes makes no older report misleading."""
        return self.key.startswith("patient.")


def record_changes_of(reports: Sequence[Report]) -> dict[UUID, list[RecordChange]]:
    """Return what the record says otherwise than each report and its addenda have told, by report."""
    contents = {report.pk: json.loads(report.content) for report in reports}
    asked = {lesion["id"] for content in contents.values() for lesion in content["lesions"]}
    lesions = {str(lesion.pk): lesion for lesion in Lesion.objects.filter(pk__in=asked)} if asked else {}
    return {report.pk: _changed(report, contents[report.pk], lesions) for report in reports}


def _changed(report: Report, content: dict[str, Any], lesions: dict[str, Lesion]) -> list[RecordChange]:
    told = _facts(content)
    last = {key: value for key, (_what, value) in told.items()}
    for addendum in report.addenda.all():
        last |= {row["key"]: row["now"] for row in json.loads(addendum.content).get("record", [])}
    now = _facts(without_controls(_as_recorded_now(report, content, lesions)))
    return [
        RecordChange(key, what, last[key], now[key][1])
        for key, (what, _then) in told.items()
        if key in now and _same_spaces(last[key]) != _same_spaces(now[key][1])
    ]


def _same_spaces(text: str) -> str:
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
        facts[f"{key}.place"] = (_("%(lesion)s: place") % {"lesion": title}, lesion["place"])
        facts[f"{key}.description"] = (_("%(lesion)s: description") % {"lesion": title}, lesion["description"])
        facts[f"{key}.noticed"] = (_("%(lesion)s: first noticed") % {"lesion": title}, lesion["noticed_on"] or "")
    return facts


def _as_recorded_now(report: Report, content: dict[str, Any], lesions: dict[str, Lesion]) -> dict[str, Any]:
    """The facts of a report's content, as the record has them now."""
    visit = report.visit
    known = [lesions[lesion["id"]] for lesion in content["lesions"] if lesion["id"] in lesions]
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
                "place": lesion.place,
                "description": lesion.description,
                "noticed_on": lesion.noticed.isoformat() if lesion.noticed else None,
            }
            for lesion in known
        ],
    }
