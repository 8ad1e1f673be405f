"""The conditions that a report explains: those of the dermatologists' labels, else those of the software's answers.

Uses only the report's content, so that content updated by an addendum is explained in the same way.
"""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.assessment.explain import explain
from diagnosis.assessment.urgency import (
    care_after_benign_label,
    care_by_the_result,
    urgency_in_report,
    urgency_of_label,
)
from diagnosis.images.models import Tier
from diagnosis.reports.assessments_in_report import condition_in_report
from diagnosis.reviews.answers import Basis, danger_rank, is_benign_answer, is_malignant_answer, malignancy_of
from diagnosis.reviews.review_words import answer_malignancy, article_of, icd10_of, plain_line
from mlmodel.explanations.explained import Source
from mlmodel.taxonomy import MALIGNANT_CODES

Content = dict[str, Any]


def explanations_of(lesions: list[Content]) -> list[Content]:
    """Return the explanations of the conditions in the report, dangerous ones first."""
    answers = [answer for lesion in lesions for answer in explained_answers(lesion)]
    articles = {article_of(answer["code"]) for answer in answers} - {""}
    library = [_from_the_library(code, lesions) for code in sorted(articles, key=_dangerous_first)]
    others = {answer["name"]: answer for answer in answers if _needs_a_paragraph(answer["code"])}
    paragraphs = [_paragraph(answer) for _name, answer in sorted(others.items())]
    # A dangerous diagnosis comes first, even if it has only a paragraph and the benign one a whole article.
    return sorted([*library, *paragraphs], key=lambda each: not is_malignant_answer(each["code"]))


def explained_answers(lesion: Content) -> list[Content]:
    """The answers that explain a lesion: its labels, and the software's answers to unlabelled photographs.

    If the lesion has a label, only malignant answers of the software are explained. If one label is malignant, benign
    labels are not explained.
    """
    if is_malignant_lesion(lesion):
        return [label for label in labels_of(lesion) if is_malignant_answer(label["code"])]
    return [*labels_of(lesion), *(_explained(photograph) for photograph in _explaining_by_software(lesion))]


def labels_of(lesion: Content) -> list[Content]:
    """The dermatologists' labels of a lesion: of this visit, or else of other visits.

    A label of another visit that is or may be malignant is always included.
    """
    own = [photograph["confirmed"] for photograph in lesion["photographs"] if _is_labelled(photograph)]
    earlier = lesion.get("earlier", [])
    return [*own, *(label for label in earlier if not own or danger_rank(label["code"]))]


def is_malignant_lesion(lesion: Content) -> bool:
    """Whether a label is malignant or pre-malignant."""
    return any(is_malignant_answer(label["code"]) for label in labels_of(lesion))


def _explaining_by_software(lesion: Content) -> list[Content]:
    unlabelled = [each for each in lesion["photographs"] if not _is_labelled(each) and _explained(each)]
    if not labels_of(lesion):
        return unlabelled
    if is_malignant_lesion(lesion):
        return []
    return [photograph for photograph in unlabelled if _explained(photograph)["code"] in MALIGNANT_CODES]


def _is_labelled(photograph: Content) -> bool:
    return bool(photograph["confirmed"]) and not photograph.get("set_aside")


def _explained(photograph: Content) -> Content:
    """The class that explains the software's answer to a photograph; empty if there is none."""
    assessment = None if photograph.get("set_aside") else photograph["assessment"]
    explained: Content | None = assessment.get("explained") if assessment else None
    return explained if explained and "code" in explained else {}


def _dangerous_first(code: str) -> tuple[bool, str]:
    return code not in MALIGNANT_CODES, code


def _needs_a_paragraph(code: str) -> bool:
    """Whether a diagnosis without an article needs a paragraph. A benign one does not: its label has a line."""
    return not article_of(code) and malignancy_of(code) is not None and not is_benign_answer(code)


def _paragraph(answer: Content) -> Content:
    """The explanation of a diagnosis on which the library has no article."""
    code, is_malignant = answer["code"], is_malignant_answer(answer["code"])
    urgency = urgency_of_label(is_malignant=is_malignant)
    return {
        "code": code,
        "name": answer["name"],
        "malignancy": answer_malignancy(code),
        "icd10": icd10_of(code),
        "snomed_ct": answer.get("snomed_ct", ""),
        "sections": {
            "what_it_is": plain_line(code)
            or _(
                "Your dermatologist has found a cancer or an early form of one. There is no article about it here: "
                "ask them to explain it to you."
            ),
            "when_to_seek_care": _when_to_seek_care(is_malignant=is_malignant),
        },
        "urgency": urgency.words,
        "urgency_from": str(urgency.speaker),
        "is_confirmed": True,
        "sources": [],
        "source": str(Source.LIBRARY),
        "written_by": None,
        "language": "en",
    }


def _when_to_seek_care(*, is_malignant: bool) -> str:
    if is_malignant:
        return _(
            "It does not go away by itself and needs treatment. Keep every appointment. If you have none yet, call "
            "your clinic now and name the diagnosis. Tell your clinic at once if the spot grows, bleeds or hurts."
        )
    return _(
        "It is not certain that it is harmless, so it has to be followed up. Keep every appointment. If you have none "
        "yet, call your clinic. Tell your clinic at once if the spot grows, bleeds or hurts."
    )


def _from_the_library(code: str, lesions: list[Content]) -> Content:
    explained = explain(code=code, reading_level="patient", ask=False)
    labels = [label for lesion in lesions for label in labels_of(lesion)]
    same = [label for label in labels if article_of(label["code"]) == code]
    unreviewed = _unreviewed_urgency(code, lesions) if is_benign_answer(code) else {}
    unconfirmed = unreviewed or _lesions_by_tier(code, lesions)
    urgency = urgency_in_report(explained, unconfirmed=unconfirmed, is_confirmed=bool(same))
    sections = dict(explained.sections)
    if unreviewed:
        sections["when_to_seek_care"] = care_by_the_result()
    elif any(_is_called_more_urgent(lesion, code) for lesion in lesions):
        sections["when_to_seek_care"] = care_after_benign_label()
    return {
        **condition_in_report(code),
        "sections": sections,
        "urgency": urgency.words,
        "urgency_from": str(urgency.speaker),
        "is_confirmed": bool(same) and not unreviewed,
        # The article is written for readers whose lesion was not examined by a laboratory.
        "is_proven": any(label.get("basis") == Basis.HISTOPATHOLOGY for label in same),
        "sources": [{"title": title, "url": url} for title, url in explained.sources],
        "source": str(explained.source),
        "written_by": explained.model_name,
        "language": explained.language,
    }


def _is_called_more_urgent(lesion: Content, code: str) -> bool:
    """Whether the software advises more urgency on a photograph labelled benign without histopathology."""
    return is_benign_answer(code) and any(
        article_of(each["confirmed"]["code"]) == code
        and each["confirmed"].get("basis") != Basis.HISTOPATHOLOGY
        and _advised_urgency(each)
        for each in lesion["photographs"]
        if _is_labelled(each)
    )


def _unreviewed_urgency(code: str, lesions: Iterable[Content]) -> dict[str, list[str]]:
    """Titles, by tier, of lesions explained by ``code`` with an unlabelled photograph that is urgent or to be watched.

    Their benign label belongs to another photograph or visit, or the network's answer has no class to explain.
    """
    titles: dict[str, list[str]] = {}
    for lesion in lesions:
        if any(article_of(answer["code"]) == code for answer in explained_answers(lesion)):
            tiers = {
                _advised_urgency(photograph) for photograph in lesion["photographs"] if not _is_labelled(photograph)
            }
            for tier in tiers - {""}:
                titles.setdefault(tier, []).append(lesion["title"])
    return titles


def _advised_urgency(photograph: Content) -> str:
    """The tier advised for a photograph given its case context; empty if calm."""
    assessment = None if photograph.get("set_aside") else photograph["assessment"]
    if not assessment:
        return ""
    tiers = {assessment.get(name, assessment["tier"]) for name in ("advised_tier", "tone")}
    return next((tier for tier in (Tier.URGENT, Tier.WATCH) if tier in tiers), "")


def _lesions_by_tier(code: str, lesions: Iterable[Content]) -> dict[str, list[str]]:
    """Titles of lesions, by advised tier, where ``code`` explains an answer and there is no label."""
    titles: dict[str, list[str]] = {}
    for lesion in lesions:
        tiers = {
            photograph["assessment"].get("advised_tier", photograph["assessment"]["tier"])
            for photograph in _explaining_by_software(lesion)
            if _explained(photograph)["code"] == code
        }
        for tier in tiers:
            titles.setdefault(tier, []).append(lesion["title"])
    return titles
