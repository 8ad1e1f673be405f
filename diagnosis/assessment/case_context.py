"""The case context of photographs: lesion, visit, reviews and patient, in four queries for any number of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from diagnosis.assessment.advice import CaseContext, Sibling
from diagnosis.images.models import Image, Prediction
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.reviews.answers import is_malignant_answer, leaves_danger_open
from diagnosis.reviews.blinding import unread_among
from diagnosis.reviews.contradictions import Contradiction, Label, contradiction_among
from diagnosis.reviews.labelled_images import with_confirmed_label, with_suspicions
from diagnosis.reviews.review_words import answer_name
from mlmodel.network.quality import Reliability
from patients.models import Member
from patients.risk_words import reasons_for_checks
from patients.services import risk_facts_of, symptoms_at


@dataclass(frozen=True)
class Known:
    """One photograph and what else is known about its lesion.

    Attributes:
        image: with visit and lesion.
        label: what dermatologists have settled.
        case_context: what may call for more urgency.
        contradiction: of the labels of its lesion.
        is_excluded: it is excluded and does not count.
        is_stored_elsewhere: the same file is stored under another lesion of the clinic; one of the two is wrong.
        is_unread: the reader may still be asked to read it blinded. Then neither the network's answer nor an opinion
            of one colleague is here, nor beside the lesion's other photographs; settled labels are.
    """

    image: Image
    prediction: Prediction | None
    label: Label | None
    case_context: CaseContext
    contradiction: Contradiction | None
    is_excluded: bool
    is_stored_elsewhere: bool
    is_unread: bool = False


def read_case_contexts(images: ImageQuerySet, *, reader: Member | None = None) -> list[Known]:
    """Return ``images`` with their case contexts, newest visit first. Reads all photographs of their lesions.

    Args:
        reader: from whom the answers are withheld that they may still be asked to read blinded.
    """
    images = images.order_by()
    rows: list[Any] = list(
        with_suspicions(with_confirmed_label(Image.objects.filter(lesion__in=images.values("lesion"))))
        .with_exclusion()
        .annotate(is_requested=Exists(images.filter(pk=OuterRef("pk"))))
        .filter(Q(is_excluded=False) | Q(is_requested=True))
        .select_related("visit", "lesion", "override")
        .with_files_stored_elsewhere()
        .with_shown_prediction()
        .order_by("-visit__date", "-created_at")
    )
    unread = unread_among(reader, rows)
    for row in rows:
        row.is_unread = row.pk in unread
    told = _Told(rows)
    siblings = _Siblings()
    in_use: dict[UUID, list[Any]] = {row.lesion_id: [] for row in rows}
    for row in rows:
        if not row.is_excluded:
            in_use[row.lesion_id].append(row)
    contradictions = {
        lesion: contradiction_among(group[0].lesion, (label for row in group if (label := _label_of(row))))
        for lesion, group in in_use.items()
        if group
    }
    return [
        Known(
            image=row,
            prediction=None if row.is_unread else row.shown_prediction,
            label=_label_of(row),
            case_context=CaseContext(label=row.confirmed_answer or "")
            if row.is_unread
            else _case_context(row, in_use[row.lesion_id], told, siblings),
            contradiction=contradictions.get(row.lesion_id),
            is_excluded=row.is_excluded,
            is_stored_elsewhere=row.is_stored_elsewhere and not row.is_excluded,
            is_unread=row.is_unread,
        )
        for row in rows
        if row.is_requested
    ]


class _Told:
    """What patients reported of their lesions, and their risk. The one place that decides whom a symptom concerns."""

    def __init__(self, rows: Iterable[Any]) -> None:
        rows = list(rows)
        self._symptoms = symptoms_at({row.visit_id for row in rows}) if rows else {}
        self._risks = risk_facts_of({row.visit.patient_id for row in rows}) if rows else {}

    def about(self, image: Any) -> dict[str, Any]:
        """Return the fields of the photograph's case context: a lesion's symptoms concern that lesion alone.

        Symptoms of an earlier visit, of which the lesion was not recorded, concern every lesion of the visit.
        """
        statement = self._symptoms.get((image.visit_id, image.lesion_id))
        return {
            "symptoms": statement.warnings if statement else [],
            "visit_symptoms": image.visit.warning_symptoms,
            "risks": reasons_for_checks(self._risks.get(image.visit.patient_id, {})),
        }


class _Siblings(dict[UUID, Sibling]):
    """Photographs as others of their lesion refer to them, each worded once: a lesion may have a hundred."""

    def of(self, image: Any, in_use: Iterable[Any]) -> list[Sibling]:
        others = [other for other in in_use if other.pk != image.pk]
        for other in others:
            if other.pk not in self:
                self[other.pk] = _sibling(other)
        return [self[other.pk] for other in others]


def _case_context(image: Any, in_use: Iterable[Any], told: _Told, siblings: _Siblings) -> CaseContext:
    label = image.confirmed_answer or ""
    if is_malignant_answer(label):
        return CaseContext(label=label)
    if label and not leaves_danger_open(label):
        names = (
            named.name
            for other in in_use
            if not (other.pk == image.pk or other.is_unread) and (named := suspected_on(other))
        )
        return CaseContext(label=label, suspected_elsewhere=next(names, ""))
    return CaseContext(
        label=label,
        **told.about(image),
        siblings=siblings.of(image, in_use),
        suspected=_suspected_malignant(image),
        unclear=_name(label, image.confirmed_text) or (unclear.name if (unclear := _parsed(image.unclear)) else ""),
        is_doubted=image.is_doubted,
    )


def _sibling(image: Any) -> Sibling:
    """Return the photograph as another one of its lesion refers to it."""
    prediction = None if image.is_unread else image.shown_prediction
    return Sibling(
        taken_on=image.visit.date,
        tier=prediction.shown_tier if prediction else "",
        label=image.confirmed_answer or "",
        label_text=image.confirmed_text or "",
        suspected="" if image.is_unread else _suspected_malignant(image),
        url=image.get_absolute_url(),
        is_calibrated=image.reliability is Reliability.CALIBRATED,
    )


def suspected_on(image: Any) -> Label | None:
    """Return what a reader named as malignant, or else of unknown malignancy; None if a label settles that.

    Args:
        image: annotated by ``with_confirmed_label`` and ``with_suspicions``.
    """
    if image.confirmed_answer and not leaves_danger_open(image.confirmed_answer):
        return None
    unclear = None if image.confirmed_answer else image.unclear
    return _parsed(image.suspected or unclear)


def _suspected_malignant(image: Any) -> str:
    """Return the name of a suspected malignant condition; empty if there is none."""
    label = suspected_on(image)
    return label.name if label and is_malignant_answer(label.answer) else ""


def _parsed(annotation: str | None) -> Label | None:
    """Return the answer and words that an annotation of ``with_suspicions`` holds."""
    answer, _break, text = (annotation or "").partition("\n")
    return Label(answer, text) if answer else None


def _label_of(image: Any) -> Label | None:
    if not image.confirmed_answer:
        return None
    return Label(image.confirmed_answer, image.confirmed_text or "", image.confirmed_basis or "")


def _name(answer: str | None, text: str | None) -> str:
    return answer_name(answer, text or "") if answer else ""
