"""What is known besides one photograph: of its lesion, its visit and its readers. Two queries for any number."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from diagnosis.assessment.advice import CaseContext, Sibling
from diagnosis.images.models import Image, Prediction
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.reviews.answers import is_malignant_answer, leaves_danger_open
from diagnosis.reviews.contradictions import Contradiction, Label, contradiction_among
from diagnosis.reviews.labelled_images import with_confirmed_label, with_suspicions
from diagnosis.reviews.review_words import answer_name
from mlmodel.network.quality import Reliability


@dataclass(frozen=True)
class Known:
    """One photograph and what is known besides it.

    Attributes:
        image: as it was read here, with visit and lesion.
        label: what dermatologists have settled.
        besides: what asks for more haste. A label that says how dangerous it is says more than all else.
        contradiction: of the labels of its lesion.
        is_excluded: it was excluded from the record and does not count.
        is_kept_elsewhere: the same file is kept under another lesion of the clinic; one of the two is wrong.
    """

    image: Image
    prediction: Prediction | None
    label: Label | None
    case_context: CaseContext
    contradiction: Contradiction | None
    is_excluded: bool
    is_kept_elsewhere: bool


def read_case_contexts(images: ImageQuerySet) -> list[Known]:
    """Read all photographs of the lesions of ``images``; return what is known of ``images``, newest visit first."""
    images = images.order_by()
    rows: list[Any] = list(
        with_suspicions(with_confirmed_label(Image.objects.filter(lesion__in=images.values("lesion"))))
        .with_exclusion()
        .annotate(is_wanted=Exists(images.filter(pk=OuterRef("pk"))))
        .filter(Q(is_excluded=False) | Q(is_wanted=True))
        .select_related("visit", "lesion", "override")
        .with_files_kept_elsewhere()
        .with_shown_prediction()
        .order_by("-visit__date", "-created_at")
    )
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
            prediction=row.shown_prediction,
            label=_label_of(row),
            case_context=_besides(row, in_use[row.lesion_id]),
            contradiction=contradictions.get(row.lesion_id),
            is_excluded=row.is_excluded,
            is_kept_elsewhere=row.is_kept_elsewhere and not row.is_excluded,
        )
        for row in rows
        if row.is_wanted
    ]


def _besides(image: Any, in_use: Iterable[Any]) -> CaseContext:
    label = image.confirmed_answer or ""
    if is_malignant_answer(label):
        return CaseContext(label=label)
    if label and not leaves_danger_open(label):
        suspected = (found.name for other in in_use if other.pk != image.pk and (found := suspected_on(other)))
        return CaseContext(label=label, suspected_elsewhere=next(suspected, ""))
    return CaseContext(
        label=label,
        symptoms=image.visit.warning_symptoms,
        siblings=[_sibling(other) for other in in_use if other.pk != image.pk],
        suspected=_suspected_malignant(image),
        unclear=_name(label, image.confirmed_text) or (found.name if (found := _said(image.unclear)) else ""),
        is_doubted=image.is_doubted,
    )


def _sibling(image: Any) -> Sibling:
    """What it says to who looks at another photograph of the same lesion."""
    prediction = image.shown_prediction
    return Sibling(
        taken_on=image.visit.date,
        tier=prediction.shown_tier if prediction else "",
        label=image.confirmed_answer or "",
        label_text=image.confirmed_text or "",
        suspected=_suspected_malignant(image),
        url=image.get_absolute_url(),
        is_calibrated=image.reliability is Reliability.CALIBRATED,
    )


def suspected_on(image: Any) -> Label | None:
    """What is, or else may be, malignant by a reader's word, and no label says how dangerous it is.

    Args:
        image: read ``with_confirmed_label`` and ``with_suspicions``.
    """
    if image.confirmed_answer and not leaves_danger_open(image.confirmed_answer):
        return None
    unclear = None if image.confirmed_answer else image.unclear
    return _said(image.suspected or unclear)


def _suspected_malignant(image: Any) -> str:
    """Its name, of what is malignant alone."""
    found = suspected_on(image)
    return found.name if found and is_malignant_answer(found.answer) else ""


def _said(named: str | None) -> Label | None:
    answer, _break, text = (named or "").partition("\n")
    return Label(answer, text) if answer else None


def _label_of(image: Any) -> Label | None:
    if not image.confirmed_answer:
        return None
    return Label(image.confirmed_answer, image.confirmed_text or "", image.confirmed_basis or "")


def _name(answer: str | None, text: str | None) -> str:
    return answer_name(answer, text or "") if answer else ""
