"""Gather what readers and network said of the same photographs, for ``diagnosis.reviews.kappa`` to compare."""

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
from patients.models import Member

# The newest so many opinions: what a page can still tell in a moment.
MOST_OPINIONS = 10_000

Opinions = Mapping[UUID, Mapping[UUID, str]]


@dataclass(frozen=True)
class Comparison:
    """Who is compared, on all diagnoses together, class by class, and on whether it is malignant.

    ``danger`` counts what is none of the seven too, unless it is not known whether that is malignant.
    """

    title: str
    overall: Agreement
    by_class: Mapping[str, Agreement]
    danger: Agreement


@dataclass(frozen=True)
class Answer:
    """What the network says of a photograph: its most probable class, and the tier that is shown."""

    code: str
    tier: str

    @property
    def calls_it_dangerous(self) -> bool:
        """By the tier: the most probable class of an urgent answer may be a harmless one."""
        return self.tier != Tier.CALM


@dataclass(frozen=True)
class AgreementReport:
    """``outside`` counts opinions of none of the seven: on those the network is compared about danger alone."""

    pairs: Sequence[Comparison]
    groups: Sequence[Comparison]
    network: Sequence[Comparison]
    opinions: int
    photographs: int
    outside: int
    is_cut: bool


def review_for_agreement(
    *, reviews: ReviewQuerySet, since: datetime.datetime | None, blinded_only: bool
) -> AgreementReport:
    """Compare the opinions among ``reviews``: of each reader the newest of each photograph that decides.

    Histopathology and consensus are no reader's own opinion and are left out.
    """
    found = reviews.deciding().exclude(basis__in=(Basis.HISTOPATHOLOGY, Basis.CONSENSUS))
    if since is not None:
        found = found.filter(created_at__gte=since)
    if blinded_only:
        found = found.filter(was_blinded=True)
    shown = Prediction.objects.shown().that_could_be_judged().filter(image=OuterRef("image")).order_by()
    columns = found.newest_first().values_list(
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
    names = _names({reader for said in opinions.values() for reader in said})
    answers = [answer for said in opinions.values() for answer in said.values()]
    return AgreementReport(
        pairs=_pairs(opinions, names),
        groups=_groups(opinions),
        network=_network(opinions, network, names),
        opinions=len(answers),
        photographs=len(opinions),
        outside=sum(not is_one_of_the_seven(answer) for answer in answers),
        is_cut=len(rows) > MOST_OPINIONS,
    )


def _pairs(opinions: Opinions, names: Mapping[UUID, str]) -> list[Comparison]:
    together: dict[tuple[UUID, UUID], list[tuple[str, str]]] = defaultdict(list)
    for said in opinions.values():
        for one, other in combinations(sorted(said, key=lambda reader: (names[reader], reader)), 2):
            together[one, other].append((said[one], said[other]))
    ranked = sorted(together.items(), key=lambda item: -len(item[1]))
    return [_compared(f"{names[one]} – {names[other]}", pairs) for (one, other), pairs in ranked]


def _network(opinions: Opinions, answers: Mapping[UUID, Answer], names: Mapping[UUID, str]) -> list[Comparison]:
    with_network: dict[UUID, list[tuple[str, Answer]]] = defaultdict(list)
    for image, said in opinions.items():
        for reader, answer in said.items():
            if image in answers:
                with_network[reader].append((answer, answers[image]))
    ranked = sorted(with_network.items(), key=lambda item: -len(item[1]))
    return [_compared_with_network(names[reader], pairs) for reader, pairs in ranked]


def _groups(opinions: Opinions) -> list[Comparison]:
    """By how many readers a photograph had: Fleiss' kappa wants the same number for each."""
    by_number: dict[int, list[list[str]]] = defaultdict(list)
    for said in opinions.values():
        if len(said) > 1:
            by_number[len(said)].append(list(said.values()))
    return [
        Comparison(
            str(number),
            fleiss(answers),
            {code: fleiss_for_class(answers, code) for code in CODES},
            fleiss([dangers for said in answers if (dangers := _dangers(said))]),
        )
        for number, answers in sorted(by_number.items())
    ]


def _compared(title: str, pairs: Sequence[tuple[str, str]]) -> Comparison:
    return Comparison(title, cohen(pairs), {code: cohen_for_class(pairs, code) for code in CODES}, _on_danger(pairs))


def _compared_with_network(title: str, pairs: Sequence[tuple[str, Answer]]) -> Comparison:
    """By class where the reader names one that the network knows, on danger everywhere."""
    known = _compared(title, [(answer, said.code) for answer, said in pairs if is_one_of_the_seven(answer)])
    dangers = [(_danger(answer), said.calls_it_dangerous) for answer, said in pairs]
    told = [(str(reader), str(network)) for reader, network in dangers if reader is not None]
    return replace(known, danger=cohen(told))


def _on_danger(pairs: Sequence[tuple[str, str]]) -> Agreement:
    return cohen([(dangers[0], dangers[1]) for pair in pairs if (dangers := _dangers(pair))])


def _dangers(answers: Sequence[str]) -> list[str]:
    """What each says of danger; empty unless all do."""
    found = [_danger(answer) for answer in answers]
    return [] if None in found else [str(danger) for danger in found]


def _danger(answer: str) -> bool | None:
    """Of free text an answer holds the words after its code."""
    return danger_of(answer.partition(" ")[0])


def _names(readers: set[UUID]) -> dict[UUID, str]:
    return {member.pk: member.name for member in Member.objects.filter(pk__in=readers).select_related("user")}


def reviews_seen_by(member: Member | None, *, is_superuser: bool) -> ReviewQuerySet:
    """The clinic's reviews; every clinic's for an operator."""
    reviews = Review.objects.all()
    return reviews if is_superuser else reviews.visible_to(member)
