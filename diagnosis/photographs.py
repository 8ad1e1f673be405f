"""Photographs as lists show them: answer, refusal, confirmed label. Two queries for any number of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from diagnosis.advice import URGENCY, Sibling
from diagnosis.answers import LabelState, is_malignant_answer, leaves_danger_open
from diagnosis.candidates import percent
from diagnosis.condition_names import condition_name
from diagnosis.models import ConfirmedLabel, Image, Prediction, Review, SetAside, Tier
from diagnosis.models.image import ImageQuerySet
from diagnosis.reliability import Reliability
from diagnosis.review_words import answer_name
from mlmodel.taxonomy import BY_CODE, CODES
from patients.models import Lesion, Patient, Visit


@dataclass(frozen=True)
class Photograph:
    """One photograph with what is known of it.

    Attributes:
        prediction: the one that is shown.
        confirmed: what dermatologists have settled, in words; empty without.
        is_malignant: it is malignant by what they have settled.
    """

    image: Image
    prediction: Prediction | None
    confirmed: str
    is_malignant: bool = False

    @property
    def badge(self) -> str:
        """The end of the badge's class name: a tier, or "refused"."""
        return self.prediction.shown_tier if self.prediction else "refused"

    @property
    def verdict(self) -> str:
        """The tier in a few words, or why there is none."""
        if self.prediction:
            return tier_in_short(self.prediction.shown_tier)
        if self.image.is_accepted:
            return _("Not judged yet")
        return _("Refused: %(verdict)s") % {"verdict": self.image.get_verdict_display().lower()}

    @property
    def as_sibling(self) -> Sibling:
        """What it says to who looks at another photograph of the same lesion."""
        return Sibling(
            taken_on=self.image.visit.date,
            tier=self.prediction.shown_tier if self.prediction else "",
            label=getattr(self.image, "confirmed_answer", None) or "",
            label_text=getattr(self.image, "confirmed_text", None) or "",
            url=self.image.get_absolute_url(),
        )

    @property
    def explained_class(self) -> str:
        """The class that explains the tier, in words; empty where the network names none."""
        if self.prediction is None or self.image.reliability is not Reliability.CALIBRATED:
            return ""
        code = self.prediction.explained_code
        return f"{condition_name(BY_CODE[code])}, {percent(self.prediction.probabilities[code])}"

    @property
    def note(self) -> str:
        """Why less is said of it than of other photographs; empty for most."""
        if self.prediction is None or self.image.reliability is Reliability.CALIBRATED:
            return ""
        return _("Taken without a dermatoscope")


def suspicions(reviews: Iterable[Review]) -> dict[str, str]:
    """What readers named and still stand by, as ``Besides`` has it: what is malignant, and what may be.

    Args:
        reviews: all of one photograph, the newest first. Who has thought better of it no longer suspects.
    """
    newest: dict[UUID, Review] = {}
    for review in reviews:
        if not review.is_retracted:
            newest.setdefault(review.reviewer_id, review)
    found = {"suspected": "", "unclear": ""}
    for review in newest.values():
        kind = "suspected" if is_malignant_answer(review.answer) else "unclear"
        if kind == "suspected" or leaves_danger_open(review.answer):
            found[kind] = found[kind] or answer_name(review.answer, review.other_text)
    return found


def tier_in_short(tier: str) -> str:
    return {
        Tier.URGENT: _("See within two weeks"),
        Tier.WATCH: _("Have it looked at"),
        Tier.CALM: _("Nothing alarming"),
    }[Tier(tier)]


def photographs(images: ImageQuerySet, *, limit: int | None = None) -> list[Photograph]:
    """Read ``images`` with their visits, predictions and confirmed labels, those of the newest visit first."""
    newest_visit_first = (
        images.select_related("visit", "lesion", "override")
        .with_confirmed_label()
        .with_shown_prediction()
        .order_by("-visit__date", "-created_at")
    )
    return [photograph_of(image) for image in newest_visit_first[:limit]]


def set_aside_among(images: ImageQuerySet) -> list[SetAside]:
    """Those of ``images`` that were set aside, with who did it and why, the newest first."""
    rows = SetAside.objects.standing().filter(image__in=images.order_by())
    return list(rows.select_related("member__user", "image__lesion", "image__visit"))


def confirmed_names(lesion_id: UUID, *, besides: Image | None = None) -> list[str]:
    """What a lesion's photographs are confirmed as, of the seven, in words: more than one contradict each other."""
    in_use = Image.objects.in_use().filter(lesion=lesion_id)
    labels = ConfirmedLabel.objects.filter(image__in=in_use, state=LabelState.SETTLED, answer__in=CODES)
    if besides is not None:
        labels = labels.exclude(image=besides)
    return [answer_name(code) for code in sorted(set(labels.values_list("answer", flat=True)))]


def contradictions_at(visit: Visit) -> list[str]:
    """Of which lesions of a visit photographs, of this visit or another, are confirmed as different things."""
    lesions = Image.objects.in_use().filter(visit=visit).values("lesion")
    labels = ConfirmedLabel.objects.filter(
        image__in=Image.objects.in_use().filter(lesion__in=lesions), state=LabelState.SETTLED, answer__in=CODES
    )
    answers: dict[int, list[str]] = {}
    pairs = labels.order_by("image__lesion__number", "answer").values_list("image__lesion__number", "answer")
    for number, answer in pairs.distinct():
        answers.setdefault(number, []).append(answer)
    words = _(
        "%(lesion)s: its photographs are confirmed as different things: %(names)s. Correct one, or explain both."
    )
    return [
        words % {"lesion": Lesion(number=number).title, "names": ", ".join(answer_name(answer) for answer in found)}
        for number, found in answers.items()
        if len(found) > 1
    ]


def photograph_of(image: Image) -> Photograph:
    """Wrap an image that was read with ``with_shown_prediction`` and ``with_confirmed_label``."""
    confirmed = getattr(image, "confirmed_answer", None)
    return Photograph(
        image=image,
        prediction=image.shown_prediction,
        confirmed=answer_name(confirmed, getattr(image, "confirmed_text", None) or "") if confirmed else "",
        is_malignant=is_malignant_answer(confirmed or ""),
    )


@dataclass(frozen=True)
class LesionCard:
    """A lesion as its newest visit left it.

    Attributes:
        leading: of that visit's photographs the most urgent one, never just the last one taken; with every label that
            dermatologists have confirmed at that visit.
        count: how many photographs there are in all.
    """

    lesion: Lesion
    leading: Photograph | None
    count: int


def lesion_cards(patient: Patient) -> list[LesionCard]:
    """The patient's lesions, each with what its newest visit found."""
    lesions = patient.lesions.annotate(photographs=_count_in_use("lesion")).order_by("number")
    newest_visit = Image.objects.in_use().filter(lesion=OuterRef("lesion")).order_by("-visit__date", "-created_at")
    shown = photographs(
        Image.objects.in_use().filter(lesion__patient=patient, visit=Subquery(newest_visit.values("visit")[:1]))
    )
    groups = {group.lesion.pk: group.photographs for group in by_lesion(shown)}
    return [
        LesionCard(lesion=lesion, leading=_leading(groups.get(lesion.pk, [])), count=getattr(lesion, "photographs", 0))
        for lesion in lesions
    ]


@dataclass(frozen=True)
class Found:
    """What a visit found, in few words: no label of one spot hides what is still open of another.

    Attributes:
        malignant: what dermatologists confirmed as malignant, in words.
        unlabelled: the most urgent of the photographs without a label, if there is one.
        benign: what else they confirmed, in words; shown where there is nothing more urgent.
    """

    malignant: str
    unlabelled: Photograph | None
    benign: str


def found_by_visit(images: ImageQuerySet) -> dict[UUID, Found]:
    """What was found at each visit of which there are photographs."""
    groups: dict[UUID, list[Photograph]] = {}
    for photograph in photographs(images):
        groups.setdefault(photograph.image.visit_id, []).append(photograph)
    return {visit: _found(group) for visit, group in groups.items()}


def _found(of_one_visit: Sequence[Photograph]) -> Found:
    labels = {photograph.confirmed: photograph.is_malignant for photograph in of_one_visit if photograph.confirmed}
    return Found(
        malignant=", ".join(name for name, is_malignant in labels.items() if is_malignant),
        unlabelled=_leading([photograph for photograph in of_one_visit if not photograph.confirmed]),
        benign=", ".join(name for name, is_malignant in labels.items() if not is_malignant),
    )


def _leading(of_one_visit: Sequence[Photograph]) -> Photograph | None:
    if not of_one_visit:
        return None
    confirmed = dict.fromkeys(photograph.confirmed for photograph in of_one_visit if photograph.confirmed)
    most_urgent = max(
        of_one_visit, key=lambda found: URGENCY[Tier(found.prediction.shown_tier)] if found.prediction else 0
    )
    is_malignant = any(photograph.is_malignant for photograph in of_one_visit)
    return replace(most_urgent, confirmed=", ".join(confirmed), is_malignant=is_malignant)


@dataclass(frozen=True)
class LesionPhotographs:
    lesion: Lesion
    photographs: list[Photograph]

    @property
    def leading(self) -> Photograph | None:
        """What they say together: the most urgent answer, and every label."""
        return _leading(self.photographs)


def by_lesion(shown: Iterable[Photograph]) -> list[LesionPhotographs]:
    """Group photographs by lesion, in the order of the lesions' numbers."""
    groups: dict[UUID, LesionPhotographs] = {}
    for photograph in shown:
        lesion = photograph.image.lesion
        groups.setdefault(lesion.pk, LesionPhotographs(lesion, [])).photographs.append(photograph)
    return sorted(groups.values(), key=lambda group: group.lesion.number)


def visits_with_counts(patient: Patient) -> QuerySet[Visit]:
    """The patient's visits, newest first, each with ``photographs``: how many were taken."""
    visits = patient.visits.select_related("clinician__user").annotate(photographs=_count_in_use("visit"))
    return visits.order_by("-date", "-created_at")


def _count_in_use(of: str) -> Coalesce:
    """How many photographs in use a row has, which is what their field ``of`` points to."""
    counted = Image.objects.in_use().filter(**{of: OuterRef("pk")}).order_by().values(of).annotate(count=Count("pk"))
    return Coalesce(Subquery(counted.values("count")), 0)
