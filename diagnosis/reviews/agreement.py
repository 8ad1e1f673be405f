"""Agreement between readers, and between readers and network, computed with ``diagnosis.reviews.kappa``."""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from uuid import UUID

from django.db.models import OuterRef, Subquery

from diagnosis.images.models import Prediction, Tier
from diagnosis.reviews.answers import Basis, danger_of, is_one_of_the_seven
from diagnosis.reviews.kappa import Agreement, cohen, cohen_for_class, fleiss, fleiss_for_class
from diagnosis.reviews.label_rules import diagnosis_of
from diagnosis.reviews.models import Review
from diagnosis.reviews.models.review import ReviewQuerySet
from mlmodel.taxonomy import CODES
from patients.models import Member, is_at_a_visit_in_use

# The newest opinions only, so that the page stays fast.
MOST_OPINIONS = 10_000

Opinions = Mapping[UUID, Mapping[UUID, str]]


@dataclass(frozen=True)
class Comparison:
    """The agreement of two or more readers: on all diagnoses, per class, and on malignancy.

    ``danger`` includes answers outside the seven classes, unless their malignancy is not known.
    """

    title: str
    overall: Agreement
    by_class: Mapping[str, Agreement]
    danger: Agreement


@dataclass(frozen=True)
class Answer:
    """The network's answer to a photograph: its most probable class, and the tier that is shown."""

    code: str
    tier: str

    @property
    def calls_it_dangerous(self) -> bool:
        """Whether the tier is not calm. The most probable class of an urgent answer may be benign."""
        return self.tier != Tier.CALM


@dataclass(frozen=True)
class AgreementReport:
    """The comparisons of one page.

    ``outside`` counts opinions outside the seven classes: there the network is compared on malignancy only.
    """

    pairs: Sequence[Comparison]
    groups: Sequence[Comparison]
    network: Sequence[Comparison]
    opinions: int
    photographs: int
    outside: int
    is_cut: bool


def review_for_agreement(
    *, reviews: ReviewQuerySet, since: datetime.datetime | None, blinded: bool | None = None
) -> AgreementReport:
    """Return the agreement among ``reviews``: each reader's newest deciding one of each photograph.

    Args:
        blinded: of blinded reviews alone, or of the others alone; of both if None.
    """
    deciding = own_opinions(reviews, since=since)
    if blinded is not None:
        deciding = deciding.filter(was_blinded=blinded)
    shown = Prediction.objects.shown().that_could_be_judged().filter(image=OuterRef("image")).order_by()
    columns = deciding.newest_first().values_list(
        "image_id",
        "reviewer_id",
        "answer",
        "other_text",
        Subquery(shown.values("code")[:1]),
        Subquery(shown.with_shown_tier().values("tier_shown")[:1]),  # type: ignore[misc]
    )
    rows = list(columns[: MOST_OPINIONS + 1])
    opinions: dict[UUID, dict[UUID, str]] = defaultdict(dict)
    network: dict[UUID, Answer] = {}
    for image, reader, answer, text, code, tier in reversed(rows[:MOST_OPINIONS]):
        opinions[image][reader] = " ".join(diagnosis_of(answer, text)).strip()
        if code:
            network[image] = Answer(code, tier)
    names = _names({reader for by_reader in opinions.values() for reader in by_reader})
    answers = [answer for by_reader in opinions.values() for answer in by_reader.values()]
    return AgreementReport(
        pairs=_pairs(opinions, names),
        groups=_groups(opinions),
        network=_network(opinions, network, names),
        opinions=len(answers),
        photographs=len(opinions),
        outside=sum(not is_one_of_the_seven(answer) for answer in answers),
        is_cut=len(rows) > MOST_OPINIONS,
    )


def own_opinions(reviews: ReviewQuerySet, *, since: datetime.datetime | None) -> ReviewQuerySet:
    """Return the deciding reviews that are a reader's own opinion: neither histopathology nor a consensus.

    What was photographed at a void visit does not count.
    """
    deciding = reviews.deciding().filter(is_at_a_visit_in_use("image__visit"))
    deciding = deciding.exclude(basis__in=(Basis.HISTOPATHOLOGY, Basis.CONSENSUS))
    return deciding if since is None else deciding.filter(created_at__gte=since)


def _pairs(opinions: Opinions, names: Mapping[UUID, str]) -> list[Comparison]:
    together: dict[tuple[UUID, UUID], list[tuple[str, str]]] = defaultdict(list)
    for answers in opinions.values():
        for one, other in combinations(sorted(answers, key=lambda reader: (names[reader], reader)), 2):
            together[one, other].append((answers[one], answers[other]))
    ranked = sorted(together.items(), key=lambda item: -len(item[1]))
    return [_compared(f"{names[one]} – {names[other]}", pairs) for (one, other), pairs in ranked]


def _network(opinions: Opinions, answers: Mapping[UUID, Answer], names: Mapping[UUID, str]) -> list[Comparison]:
    with_network: dict[UUID, list[tuple[str, Answer]]] = defaultdict(list)
    for image, by_reader in opinions.items():
        for reader, answer in by_reader.items():
            if image in answers:
                with_network[reader].append((answer, answers[image]))
    ranked = sorted(with_network.items(), key=lambda item: -len(item[1]))
    return [_compared_with_network(names[reader], pairs) for reader, pairs in ranked]


def _groups(opinions: Opinions) -> list[Comparison]:
    """Return comparisons by the number of readers: Fleiss' kappa needs the same number for each photograph."""
    by_number: dict[int, list[list[str]]] = defaultdict(list)
    for by_reader in opinions.values():
        if len(by_reader) > 1:
            by_number[len(by_reader)].append(list(by_reader.values()))
    return [
        Comparison(
            str(number),
            fleiss(answers),
            {code: fleiss_for_class(answers, code) for code in CODES},
            fleiss([dangers for photograph in answers if (dangers := _dangers(photograph))]),
        )
        for number, answers in sorted(by_number.items())
    ]


def _compared(title: str, pairs: Sequence[tuple[str, str]]) -> Comparison:
    return Comparison(title, cohen(pairs), {code: cohen_for_class(pairs, code) for code in CODES}, _on_danger(pairs))


def _compared_with_network(title: str, pairs: Sequence[tuple[str, Answer]]) -> Comparison:
    """Compare by class where the reader names one of the seven, and on malignancy everywhere."""
    by_class = _compared(title, [(reader, network.code) for reader, network in pairs if is_one_of_the_seven(reader)])
    dangers = [(_danger(reader), network.calls_it_dangerous) for reader, network in pairs]
    known = [(str(reader), str(network)) for reader, network in dangers if reader is not None]
    return replace(by_class, danger=cohen(known))


def _on_danger(pairs: Sequence[tuple[str, str]]) -> Agreement:
    return cohen([(dangers[0], dangers[1]) for pair in pairs if (dangers := _dangers(pair))])


def _dangers(answers: Sequence[str]) -> list[str]:
    """Return each answer's danger; empty unless it is known of all of them."""
    dangers = [_danger(answer) for answer in answers]
    return [] if None in dangers else [str(danger) for danger in dangers]


def _danger(answer: str) -> bool | None:
    # An answer in free text holds the reader's words after its code.
    return danger_of(answer.partition(" ")[0])


def _names(readers: set[UUID]) -> dict[UUID, str]:
    return {member.pk: member.name for member in Member.objects.filter(pk__in=readers).select_related("user")}


def reviews_seen_by(member: Member | None, *, is_superuser: bool) -> ReviewQuerySet:
    """Return the reviews of the member's clinic; those of every clinic for an operator."""
    reviews = Review.objects.all()
    return reviews if is_superuser else reviews.visible_to(member)
