"""Facts in the record that have changed since a report was signed, such as a side, a name or a date of birth.

``changes_since_signing`` compares labels and photographs. Names of the clinic and clinicians are not compared: a
change of those makes nothing in the report wrong.
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
    def is_of_patient(self) -> bool:
        """Whether it identifies the patient: a changed name does not make an older report misleading."""
        return self.key.startswith("patient.")


def record_changes_of(reports: Sequence[Report]) -> dict[UUID, list[RecordChange]]:
    """Return, by report, the facts that differ from the report and its addenda."""
    contents = {report.pk: json.loads(report.content) for report in reports}
    lesion_ids = {lesion["id"] for content in contents.values() for lesion in content["lesions"]}
    lesions = {str(lesion.pk): lesion for lesion in Lesion.objects.filter(pk__in=lesion_ids)} if lesion_ids else {}
    return {report.pk: _changes(report, contents[report.pk], lesions) for report in reports}


def _changes(report: Report, content: dict[str, Any], lesions: dict[str, Lesion]) -> list[RecordChange]:
    reported = _facts(content)
    last = {key: value for key, (_what, value) in reported.items()}
    for addendum in report.addenda.all():
        last |= {row["key"]: row["now"] for row in json.loads(addendum.content).get("record", [])}
    now = _facts(without_controls(_current_facts(report, content, lesions)))
    return [
        RecordChange(key, what, last[key], now[key][1])
        for key, (what, _then) in reported.items()
        if key in now and _with_single_spaces(last[key]) != _with_single_spaces(now[key][1])
    ]


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
        facts[f"{key}.place"] = (_("%(lesion)s: place") % {"lesion": title}, lesion["place"])
        facts[f"{key}.description"] = (_("%(lesion)s: description") % {"lesion": title}, lesion["description"])
        facts[f"{key}.noticed"] = (_("%(lesion)s: first noticed") % {"lesion": title}, lesion["noticed_on"] or "")
    return facts


def _current_facts(report: Report, content: dict[str, Any], lesions: dict[str, Lesion]) -> dict[str, Any]:
    """The content of the report with the record's current facts."""
    visit = report.visit
    current = [lesions[lesion["id"]] for lesion in content["lesions"] if lesion["id"] in lesions]
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
            for lesion in current
        ],
    }
