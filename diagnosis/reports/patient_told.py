"""What the patient was asked, as a report shows it: symptoms of each lesion and, if the clinic wants it, the risk."""

from typing import Any

from django.utils.translation import gettext as _

from patients.models import LesionSymptoms, Patient
from patients.risk_words import risk_banner

Content = dict[str, Any]


def symptoms_in_report(statement: LesionSymptoms | None) -> Content | None:
    """Return the symptoms of a lesion, from schema 4 on; None if nothing was recorded."""
    if statement is None:
        return None
    return {
        "reported": statement.reported,
        "denied": statement.denied,
        "not_asked": statement.not_asked,
        "since": statement.since,
    }


def risk_in_report(patient: Patient) -> Content:
    """Return what is known of the patient's risk, and what is not, in words."""
    banner = risk_banner(patient)
    return {
        "raised": [line.words for line in banner.raised],
        "procedures": [line.words for line in banner.procedures],
        "denied": [line.words for line in banner.denied],
        "unknown": list(banner.unknown),
        "not_asked": list(banner.not_asked),
    }


def present_symptoms(lesions: list[Content]) -> list[dict[str, str]]:
    """Return a row for each lesion whose content has symptoms; earlier schema versions have none."""
    return [
        {"title": lesion["title"], "words": symptoms_in_words(lesion["symptoms"])}
        for lesion in lesions
        if "symptoms" in lesion
    ]


def symptoms_in_words(symptoms: Content | None) -> str:
    """Return what was reported of a lesion in one line. What was not asked is said, not left out."""
    if symptoms is None:
        return _("Symptoms not asked")
    reported = ", ".join(symptoms["reported"]) or _("no symptoms reported")
    parts = [f"{reported} ({symptoms['since']})" if symptoms["since"] else reported]
    if symptoms["denied"]:
        parts.append(_("denied: %(symptoms)s") % {"symptoms": ", ".join(symptoms["denied"])})
    if symptoms["not_asked"]:
        parts.append(_("not asked: %(symptoms)s") % {"symptoms": ", ".join(symptoms["not_asked"])})
    return "; ".join(parts)
