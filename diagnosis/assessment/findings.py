"""Dangerous findings of photographs that are, or are about to be, excluded: they must not be lost with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from diagnosis.assessment.case_context import suspected_on
from diagnosis.assessment.chips import URGENT, Chip, Substance
from diagnosis.assessment.photographs import Photograph, photograph_and_others
from diagnosis.images.models import Exclusion, ExclusionReason, Image, Tier
from diagnosis.images.models.image import ImageQuerySet
from diagnosis.reviews.answers import LabelState, danger_rank, is_malignant_answer
from diagnosis.reviews.contradictions import other_labels
from diagnosis.reviews.labelled_images import with_confirmed_label, with_suspicions
from diagnosis.reviews.models import ConfirmedLabel
from diagnosis.reviews.review_words import answer_name
from patients.models import Lesion, Visit

# For these reasons the finding belongs to another patient or lesion and goes with the photograph.
BELONGS_ELSEWHERE = (ExclusionReason.OTHER_PATIENT, ExclusionReason.OTHER_LESION)


@dataclass(frozen=True)
class Finding:
    """A condition named on a photograph that is or may be malignant: confirmed, or suspected and not settled.

    Attributes:
        rank: its ``answers.danger_rank``.
    """

    name: str
    is_confirmed: bool
    rank: int

    @property
    def words(self) -> str:
        words = _("Confirmed: %(name)s") if self.is_confirmed else _("Suspected: %(name)s")
        return words % {"name": self.name}


def finding_of(image: Image) -> Finding | None:
    """Return the dangerous finding of one photograph, from its current reviews."""
    return _finding(with_suspicions(with_confirmed_label(Image.objects.all())).get(pk=image.pk))


def findings_among(images: ImageQuerySet) -> list[Finding]:
    """Return the dangerous findings of several photographs, from their current reviews."""
    rows = with_suspicions(with_confirmed_label(images.order_by()))
    return [finding for image in rows if (finding := _finding(image))]


def is_confirmed_beside(image: Image, finding: Finding | None) -> bool:
    """Whether another photograph in use of the same lesion is confirmed as no less dangerous than ``finding``."""
    return finding is not None and any(danger_rank(label.answer) >= finding.rank for label in other_labels(image))


def is_urgent_alone(image: Image) -> bool:
    """Whether a photograph is urgent by the network, not settled by a label, and the only urgent one of its lesion."""
    photograph, others = photograph_and_others(image)
    return photograph.is_open and _is_urgent(photograph) and not any(map(_is_urgent, others))


def _is_urgent(photograph: Photograph) -> bool:
    is_labelled = bool(photograph.known.label and is_malignant_answer(photograph.known.label.answer))
    return is_labelled or bool(photograph.prediction and photograph.prediction.shown_tier == Tier.URGENT)


@dataclass(frozen=True)
class ExcludedFinding:
    """A dangerous finding whose photograph is excluded, and whose file is in use nowhere in the clinic."""

    finding: Finding
    row: Exclusion

    @property
    def image(self) -> Image:
        return self.row.image

    @property
    def lesion(self) -> Lesion:
        return self.row.image.lesion

    @property
    def chip(self) -> Chip:
        """Its chip; no calm chip is shown next to it."""
        return Chip(
            "finding_excluded",
            URGENT,
            _("Finding on an excluded photograph: %(name)s") % {"name": self.finding.name},
            substance=Substance.LABEL,
        )

    @property
    def who_and_why(self) -> str:
        words = _("Excluded by %(member)s on %(date)s: %(reason)s.") % {
            "member": self.row.member.name,
            "date": formats.date_format(timezone.localtime(self.row.created_at), "j M Y H:i"),
            "reason": self.row,
        }
        return f"{words} {self.row.note}".strip()

    @property
    def words(self) -> str:
        return f"{self.lesion.title}: {self.finding.words}. {self.who_and_why}"

    @property
    def what_to_do(self) -> str:
        return _(
            "It does not count now: add the original to the correct record, or undo the exclusion. Until then do not "
            "rely on any calmer result for this lesion."
        )


def excluded_findings(images: ImageQuerySet) -> list[ExcludedFinding]:
    """Return the findings among ``images`` that were excluded with their photographs, the newest first.

    A finding is no longer listed once the exclusion is undone or the file is in use again anywhere in the clinic. One
    of an unusable or duplicate photograph is not listed while another photograph of the lesion is confirmed as no less
    dangerous.
    """
    clinic = OuterRef("visit__patient__clinic")
    in_use = Image.objects.in_use().filter(sha256=OuterRef("sha256"), visit__patient__clinic=clinic).order_by()
    excluded = with_suspicions(with_confirmed_label(images.order_by().excluded().filter(~Exists(in_use))))
    findings = {image.pk: finding for image in excluded if (finding := _finding(image))}
    if not findings:
        return []
    rows = Exclusion.objects.standing().filter(image__in=list(findings))
    rows = rows.select_related("member__user", "image__lesion__patient", "image__visit")
    confirmed_ranks = _confirmed_danger(row.image.lesion_id for row in rows)
    return [
        ExcludedFinding(findings[row.image_id], row)
        for row in rows
        if row.reason in BELONGS_ELSEWHERE or confirmed_ranks.get(row.image.lesion_id, 0) < findings[row.image_id].rank
    ]


def excluded_findings_at(visit: Visit) -> list[ExcludedFinding]:
    """Return the excluded findings of the lesions photographed at a visit, from any visit."""
    lesions = Image.objects.filter(visit=visit).order_by().values("lesion")
    return excluded_findings(Image.objects.filter(lesion__in=lesions))


def excluded_findings_beside(image: Image) -> list[ExcludedFinding]:
    """Return the excluded findings of the other photographs of the same lesion."""
    return excluded_findings(Image.objects.filter(lesion=image.lesion_id).exclude(pk=image.pk))


def _finding(image: Any) -> Finding | None:
    suspected, confirmed = suspected_on(image), image.confirmed_answer or ""
    rank = danger_rank(suspected.answer) if suspected else 0
    if danger_rank(confirmed) and danger_rank(confirmed) >= rank:
        name = answer_name(confirmed, image.confirmed_text or "")
        return Finding(name, is_confirmed=True, rank=danger_rank(confirmed))
    return Finding(suspected.name, is_confirmed=False, rank=rank) if suspected else None


def _confirmed_danger(lesions: Iterable[UUID]) -> dict[UUID, int]:
    """Return the highest ``danger_rank`` of the confirmed labels in use, by lesion."""
    in_use = Exists(Image.objects.in_use().filter(pk=OuterRef("image")).order_by())
    labels = ConfirmedLabel.objects.filter(in_use, state=LabelState.SETTLED, image__lesion__in=set(lesions))
    ranks: dict[UUID, int] = {}
    for lesion, answer in labels.values_list("image__lesion", "answer"):
        ranks[lesion] = max(ranks.get(lesion, 0), danger_rank(answer))
    return ranks
