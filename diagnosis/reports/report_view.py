"""A report's content prepared for templates: dates as objects, probabilities as bars, conditions with explanations.

The PDF and the patient's page use only the frozen content, never the current records, so they cannot differ.
"""

import datetime
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from dermascan.core.rough_dates import RoughDate
from diagnosis.assessment.advice import NO_CONTEXT, URGENCY, caveats_about, heading_of, tier_in_short, tone_of
from diagnosis.assessment.candidates import bar_value, percent
from diagnosis.assessment.chips import chip_of_assessment
from diagnosis.assessment.presentation import TIER_MARKS
from diagnosis.assessment.section_titles import SECTION_TITLES
from diagnosis.images.condition_names import condition_name, malignancy_name
from diagnosis.images.models import Tier
from diagnosis.images.reliability import tier_to_show
from diagnosis.reports.articles import is_malignant_lesion
from diagnosis.reports.assessments_in_report import assessment_overruled_by_label
from diagnosis.reports.outcome_in_report import closed_in_words, specimens_in_words
from diagnosis.reports.patient_told import present_symptoms
from diagnosis.reports.report_chips import chip_next_to_label
from diagnosis.reviews.answers import is_malignant_answer
from diagnosis.reviews.review_words import LABEL_MARKS, label_tone
from mlmodel.explanations.blocks import Block, blocks
from mlmodel.network.quality import Reliability
from mlmodel.taxonomy import BY_CODE

# In the order of a patient's questions.
SECTION_ORDER = (
    "what_it_is",
    "when_to_seek_care",
    "treatment",
    "symptoms",
    "causes",
    "told_apart_by",
    "prevention",
)


@dataclass(frozen=True)
class Bar:
    """The bar of one of the seven classes: its ``value`` on screen, its ``width`` in whole per cent on paper."""

    name: str
    malignancy: str
    is_malignant: bool
    percent: str
    value: str
    width: int


def present(content: dict[str, Any]) -> dict[str, Any]:
    """Return ``content`` prepared for a template."""
    signature = content.get("report")
    lesions = [_present_lesion(lesion) for lesion in content["lesions"]]
    before = content.get("patient_before", {})
    if "birth_date" in before:
        before = {**before, "birth_date": datetime.date.fromisoformat(before["birth_date"])}
    measures = [photograph["measures"] for lesion in lesions for photograph in lesion["photographs"]]
    return {
        **content,
        "patient": {
            **content["patient"],
            "birth_date": datetime.date.fromisoformat(content["patient"]["birth_date"]),
        },
        "patient_before": before,
        "visit": {
            **content["visit"],
            "date": datetime.date.fromisoformat(content["visit"]["date"]),
            "symptoms_by_lesion": present_symptoms(content["lesions"]),
        },
        "lesions": lesions,
        "meaning_of_measures": next((each["meaning"] for each in measures if each), ""),
        "explanations": [
            {**explanation, "sections": titled_sections(explanation["sections"])}
            for explanation in content["explanations"]
        ],
        "report": {**signature, "signed_at": _moment(signature["signed_at"])} if signature else None,
    }


def still_malignant(content: dict[str, Any], again: set[str]) -> list[dict[str, Any]]:
    """The malignant lesions of presented content that are not being checked again."""
    return [lesion for lesion in content["lesions"] if lesion["is_malignant"] and lesion["id"] not in again]


def bars(assessment: dict[str, Any]) -> list[Bar]:
    """The bars of the seven classes, most probable first; none for an unreliable answer."""
    if assessment["probabilities"] is None:
        return []
    ranked = sorted(assessment["probabilities"].items(), key=lambda item: (-item[1], item[0]))
    return [
        Bar(
            name=condition_name(BY_CODE[code]),
            malignancy=malignancy_name(BY_CODE[code]),
            is_malignant=BY_CODE[code].is_malignant,
            percent=percent(probability),
            value=bar_value(probability),
            width=max(round(100 * probability), 1),
        )
        for code, probability in ranked
    ]


def titled_sections(sections: dict[str, str]) -> list[tuple[str, list[Block]]]:
    """The sections of an explanation: title, and paragraphs and lists."""
    return [(str(SECTION_TITLES[key]), blocks(sections[key])) for key in SECTION_ORDER if sections.get(key)]


def _present_lesion(lesion: dict[str, Any]) -> dict[str, Any]:
    lesion = {**lesion, "earlier": lesion.get("earlier", [])}  # missing in earlier schema versions
    is_malignant = is_malignant_lesion(lesion)
    flags = {"is_overruled": is_malignant, "is_suspected": bool(lesion.get("suspected"))}
    photographs = [_present_photograph(photograph, **flags) for photograph in lesion["photographs"]]
    earlier = _earlier(lesion["earlier"], is_malignant=is_malignant)
    return {
        **lesion,
        "is_malignant": is_malignant,
        "earlier": earlier,
        "specimens": specimens_in_words(lesion.get("outcome")),
        "closed": closed_in_words(lesion.get("outcome")),
        "suspected": _dated(lesion.get("suspected")),
        "glance": _glance(photographs, earlier, is_overruled=is_malignant),
        "noticed": RoughDate.parse(lesion["noticed_on"]) if lesion["noticed_on"] else None,
        "photographs": photographs,
    }


def _earlier(labels: list[dict[str, Any]], *, is_malignant: bool) -> list[dict[str, Any]]:
    """The labels of a lesion from other visits, dangerous ones first.

    If the lesion is malignant, its benign labels are marked ``is_overruled``.
    """
    rows = [
        {
            **label,
            "visit_date": datetime.date.fromisoformat(label["visit_date"]),
            "is_overruled": is_malignant and not is_malignant_answer(label["code"]),
        }
        for label in labels
    ]
    return sorted(rows, key=lambda label: not is_malignant_answer(label["code"]))


def _dated(label: dict[str, Any] | None) -> dict[str, Any] | None:
    return label and {**label, "visit_date": datetime.date.fromisoformat(label["visit_date"])}


def _overruled(assessment: dict[str, Any]) -> dict[str, Any]:
    """The presentation of the software's answer next to a malignant label."""
    neutral = assessment_overruled_by_label(assessment)
    return {**neutral, "short": neutral["heading"], "tone": "refused", "mark": "–", "is_overruled": True}


def _tone(assessment: dict[str, Any]) -> dict[str, Any]:
    """The heading, tone, mark and reservations of an answer, with defaults for earlier schema versions."""
    caveats, tier = assessment.get("doubts", []), Tier(assessment["tier"])
    tone = Tier(assessment.get("tone") or tone_of(tier, has_caveats=bool(caveats)))
    heading = assessment.get("heading") or heading_of(tier, tier, has_caveats=bool(caveats))
    short = heading
    if tier is Tier.CALM:  # the calm heading is the beginning of a sentence
        short = assessment["tier_words"] if tone is Tier.CALM else tier_in_short(tone)
    return {"doubts": caveats, "heading": heading, "short": short, "tone": str(tone), "mark": TIER_MARKS[tone]}


def _without_unreliable_numbers(photograph: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to a photograph; earlier reports contain numbers for unreliable ones, which are removed."""
    assessment = photograph["assessment"]
    if not assessment or photograph["quality"]["override"] is None or "reliability" in assessment:
        return assessment
    tier = tier_to_show(assessment["tier"], Reliability.NOT_JUDGED)
    refused = caveats_about(Tier(tier), NO_CONTEXT, refused=photograph["quality"]["words"].lower())
    return {
        **assessment,
        "reliability": str(Reliability.NOT_JUDGED),
        "tier": tier,
        "tier_words": str(Tier(tier).label),
        "doubts": [*(caveat.words for caveat in refused), *assessment.get("doubts", [])],
        "probabilities": None,
        "explained": None,
        "meaning": "",
        "cost": "",
        "set_words": "",
    }


def _glance(photographs: list[dict[str, Any]], earlier: list[dict[str, Any]], *, is_overruled: bool) -> dict[str, Any]:
    """The summary line of a lesion: all its labels, and the most urgent answer of the software."""
    labels = _labels_at_a_glance(photographs, earlier)
    assessments = [photograph["assessment"] for photograph in photographs if photograph["assessment"]]
    replaced = list(dict.fromkeys(each["replaced"]["name"] for each in photographs if each["replaced"]))
    if is_overruled:
        by_tier = sorted(assessments, key=lambda each: -URGENCY[Tier(each["tier"])])
        return {
            "labels": labels,
            "replaced": replaced,
            "tier_words": _more_is_suspected(assessments) or (by_tier[0]["short"] if by_tier else ""),
            "doubts": False,
            "unanalysed": len(photographs) - len(assessments),
            "others": False,
        }
    most_urgent = max(assessments, key=lambda each: chip_of_assessment(each).pressing, default=None)
    return {
        "labels": labels,
        "replaced": replaced,
        "tier_words": most_urgent["short"] if most_urgent else "",
        # An urgent answer needs no reservation.
        "doubts": bool(most_urgent["doubts"]) and most_urgent["tone"] != Tier.URGENT if most_urgent else False,
        "unanalysed": sum(1 for photograph in photographs if not photograph["assessment"]),
        "others": len({each["short"] for each in assessments}) > 1,
    }


def _more_is_suspected(assessments: list[dict[str, Any]]) -> str:
    return _("More is suspected, see below") if any(each.get("suspicions") for each in assessments) else ""


def _labels_at_a_glance(photographs: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The labels of a lesion from this visit and from others, without duplicates, dangerous ones first."""
    labels: dict[tuple[str, bool], dict[str, Any]] = {}
    for confirmed in (photograph["confirmed"] for photograph in photographs):
        if confirmed:
            labels.setdefault((confirmed["name"], False), {**confirmed, "words": confirmed["certainty_words"].lower()})
    for label in (label for label in earlier if not label["is_overruled"]):
        date = date_format(label["visit_date"], "j M Y")
        words = _("confirmed at the visit of %(date)s") % {"date": date}
        labels.setdefault((label["name"], True), {**label, "words": words})
    in_order = sorted(labels.values(), key=lambda label: not is_malignant_answer(label["code"]))
    return [{"name": label["name"], "words": label["words"]} for label in in_order]


def _present_photograph(photograph: dict[str, Any], *, is_overruled: bool, is_suspected: bool) -> dict[str, Any]:
    confirmed, replaced = photograph["confirmed"], photograph.get("replaced")
    assessment = _present_assessment(_without_unreliable_numbers(photograph))
    if assessment and confirmed and (chip := chip_next_to_label(confirmed, assessment)):
        assessment = {**assessment, "tone_beside": chip.tone}
    return {
        **photograph,
        "added_at": _moment(photograph["added_at"]),
        "taken_on": _day(photograph.get("taken_on")),  # missing in earlier reports
        "measures": photograph.get("measures"),  # missing in earlier schema versions
        "assessment": _overruled(assessment) if assessment and is_overruled else assessment,
        "confirmed": confirmed and _present_label(confirmed, is_overruled=is_overruled, is_suspected=is_suspected),
        "replaced": replaced and _present_label(replaced),
        "later": photograph.get("later"),
        "set_aside": photograph.get("set_aside", ""),
    }


def _present_assessment(assessment: dict[str, Any] | None) -> dict[str, Any] | None:
    if assessment is None:
        return None
    return {
        **assessment,
        "at": _moment(assessment["at"]),
        "bars": bars(assessment),
        # Earlier schema versions explain the most probable class.
        "explained": assessment.get("explained", {"name": assessment["name"], "words": ""}),
        "is_overruled": False,
        **_tone(assessment),
    }


def _present_label(label: dict[str, Any], *, is_overruled: bool = False, is_suspected: bool = False) -> dict[str, Any]:
    """A label prepared for a template; a benign one is not green if the lesion is or may be malignant."""
    tone = label_tone(label["code"])
    if tone == Tier.CALM and (is_overruled or is_suspected):
        tone = "refused" if is_overruled else str(Tier.WATCH)
    return {
        "line": "",  # missing in earlier schema versions
        **label,
        "at": _moment(label["at"]),
        "tone": tone,
        "mark": LABEL_MARKS[tone],
    }


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _day(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
