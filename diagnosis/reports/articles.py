"""Which conditions a report explains, and how: by what dermatologists have named a lesion, else by its answers.

Works on a report's content alone, so that what an addendum has changed can be explained in the same way.
"""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.assessment.explain import explain
from diagnosis.assessment.urgency import (
    care_after_a_harmless_label,
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
    """Explain what the reader meets, dangerous conditions first."""
    answers = [answer for lesion in lesions for answer in explained_answers(lesion)]
    articles = {article_of(answer["code"]) for answer in answers} - {""}
    found = [_from_the_library(code, lesions) for code in sorted(articles, key=_dangerous_first)]
    others = {answer["name"]: answer for answer in answers if _needs_a_paragraph(answer["code"])}
    paragraphs = [_paragraph(answer) for _name, answer in sorted(others.items())]
    # A dangerous diagnosis comes first, even if it has one paragraph and the harmless one a whole article.
    return sorted([*found, *paragraphs], key=lambda each: not is_malignant_answer(each["code"]))


def explained_answers(lesion: Content) -> list[Content]:
    """The answers by which a lesion is explained: its labels, and what the software says of photographs without one.

    Beside a label the software explains only what is more dangerous than it: never a calmer photograph. Of a lesion
    that is malignant by one label no harmless one explains anything.
    """
    if is_malignant_lesion(lesion):
        return [label for label in labels_of(lesion) if is_malignant_answer(label["code"])]
    return [*labels_of(lesion), *(_explained(photograph) for photograph in _explaining_by_software(lesion))]


def labels_of(lesion: Content) -> list[Content]:
    """What dermatologists have named a lesion: at this visit, or else at earlier ones.

    A label of an earlier visit that is, or may be, malignant is named whatever was said since.
    """
    own = [photograph["confirmed"] for photograph in lesion["photographs"] if _is_labelled(photograph)]
    earlier = lesion.get("earlier", [])
    return [*own, *(label for label in earlier if not own or danger_rank(label["code"]))]


def is_malignant_lesion(lesion: Content) -> bool:
    """Whether dermatologists have named it malignant or pre-malignant."""
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
    """The class that explains what the software says of a photograph; empty where it names none."""
    assessment = None if photograph.get("set_aside") else photograph["assessment"]
    explained: Content | None = assessment.get("explained") if assessment else None
    return explained if explained and "code" in explained else {}


def _dangerous_first(code: str) -> tuple[bool, str]:
    return code not in MALIGNANT_CODES, code


def _needs_a_paragraph(code: str) -> bool:
    """Of what has no article, the harmless is explained by its line beside the label; the rest asks for more."""
    return not article_of(code) and malignancy_of(code) is not None and not is_benign_answer(code)


def _paragraph(answer: Content) -> Content:
    """What can honestly be said of a diagnosis that the library has no article on."""
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
                "Your dermatologist has found a cancer or an early form of one. It has no article here: ask them to "
                "explain it to you."
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
            "your clinic now and name the diagnosis. Say at once if the spot grows, bleeds or hurts."
        )
    return _(
        "It is not certain that it is harmless, so it has to be followed up. Keep every appointment. If you have none "
        "yet, call your clinic. Say at once if the spot grows, bleeds or hurts."
    )


def _from_the_library(code: str, lesions: list[Content]) -> Content:
    explained = explain(code=code, reading_level="patient", ask=False)
    labels = [label for lesion in lesions for label in labels_of(lesion)]
    same = [label for label in labels if article_of(label["code"]) == code]
    unread = _unreviewed_urgency(code, lesions) if is_benign_answer(code) else {}
    unconfirmed = unread or _lesions_by_tier(code, lesions)
    urgency = urgency_in_report(explained, unconfirmed=unconfirmed, is_confirmed=bool(same))
    sections = dict(explained.sections)
    if unread:
        sections["when_to_seek_care"] = care_by_the_result()
    elif any(_is_called_more_urgent(lesion, code) for lesion in lesions):
        sections["when_to_seek_care"] = care_after_a_harmless_label()
    return {
        **condition_in_report(code),
        "sections": sections,
        "urgency": urgency.words,
        "urgency_from": str(urgency.speaker),
        "is_confirmed": bool(same) and not unread,
        # The article is written for those whose spot no laboratory has examined.
        "is_proven": any(label.get("basis") == Basis.HISTOPATHOLOGY for label in same),
        "sources": [{"title": title, "url": url} for title, url in explained.sources],
        "source": str(explained.source),
        "written_by": explained.model_name,
        "language": explained.language,
    }


def _is_called_more_urgent(lesion: Content, code: str) -> bool:
    """Whether more haste is asked for about what a dermatologist has named harmless, without a laboratory."""
    return is_benign_answer(code) and any(
        article_of(each["confirmed"]["code"]) == code
        and each["confirmed"].get("basis") != Basis.HISTOPATHOLOGY
        and _advised_urgency(each)
        for each in lesion["photographs"]
        if _is_labelled(each)
    )


def _unreviewed_urgency(code: str, lesions: Iterable[Content]) -> dict[str, list[str]]:
    """Lesions that ``code`` explains and that have a photograph without a label which asks for haste: titles by tier.

    Their harmless label is of another photograph or visit, or the network names nothing that could be explained.
    """
    found: dict[str, list[str]] = {}
    for lesion in lesions:
        if any(article_of(answer["code"]) == code for answer in explained_answers(lesion)):
            tiers = {
                _advised_urgency(photograph) for photograph in lesion["photographs"] if not _is_labelled(photograph)
            }
            for tier in tiers - {""}:
                found.setdefault(tier, []).append(lesion["title"])
    return found


def _advised_urgency(photograph: Content) -> str:
    """The tier that is advised for a photograph with all that is known besides; empty where that is calm."""
    said = None if photograph.get("set_aside") else photograph["assessment"]
    tiers = {said.get("advised_tier", said["tier"]), said.get("tone", said["tier"])} if said else set()
    return next((tier for tier in (Tier.URGENT, Tier.WATCH) if tier in tiers), "")


def _lesions_by_tier(code: str, lesions: Iterable[Content]) -> dict[str, list[str]]:
    """Where ``code`` explains an answer and no dermatologist has said anything: lesions' titles by advised tier."""
    found: dict[str, list[str]] = {}
    for lesion in lesions:
        tiers = {
            photograph["assessment"].get("advised_tier", photograph["assessment"]["tier"])
            for photograph in _explaining_by_software(lesion)
            if _explained(photograph)["code"] == code
        }
        for tier in tiers:
            found.setdefault(tier, []).append(lesion["title"])
    return found
