"""From what was said of a photograph to its label. The only place that knows how, and it reads nothing but this.

What is newest is told by the order in which it was said (``Said.step``), never by a clock.

The rules, strongest first. An opinion *decides* if its reader is certain or probable and can tell.

1. Histopathology that decides settles the label; of several the newest. But where a colleague's finding names more
   danger, they dispute it until that colleague agrees, or two readers enter a later consensus.
2. So does a consensus that decides. But one that names less danger than a colleague does counts only when a second
   reader has entered the same.
3. Opinions, by the clinic's rule:
   - one reader: the newest that decides settles the label. But it never replaces a colleague's answer that names more
     danger by itself: such a label is disputed until the colleague agrees, or 1 or 2;
   - two blinded readers: of each reader the newest that decides and was made blinded counts. Two who agree settle the
     label. If they differ it is disputed and a third is asked; from then on a majority settles it, and where there is
     none it stays disputed until 1 or 2.
4. What is not malignant by 3 gives way to doubt: who becomes unsure of their own such answer takes it back, and where
   anybody still names more danger, however sure or blinded, and was not outvoted, the label is disputed.

Of danger there are three degrees (``answers.danger_rank``): malignant, pre-malignant or in situ, and not known.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from diagnosis.reviews.answers import CANNOT_TELL, DECIDING, Basis, LabelState, Why, danger_rank, is_malignant_answer
from patients.models import ReviewRule

READERS_NEEDED = 2


class Said(Protocol):
    """A review that stands, as far as a label depends on it."""

    @property
    def pk(self) -> UUID: ...
    @property
    def reviewer_id(self) -> UUID: ...
    @property
    def answer(self) -> str: ...
    @property
    def other_text(self) -> str: ...
    @property
    def certainty(self) -> str: ...
    @property
    def basis(self) -> str: ...
    @property
    def was_blinded(self) -> bool: ...
    @property
    def step(self) -> int: ...


@dataclass(frozen=True)
class Settled:
    """A label.

    Attributes:
        answer: empty unless it is settled.
        counted: the reviews whose answers were weighed, oldest first.
        by: those of them that gave the answer; empty unless it is settled.
    """

    state: LabelState
    why: Why
    answer: str = ""
    counted: tuple[Said, ...] = ()
    by: tuple[Said, ...] = ()

    @property
    def review(self) -> Said | None:
        """The review with which the label was settled last."""
        return self.by[-1] if self.by else None


def settle(*, reviews: Iterable[Said], rule: str) -> Settled:
    """Derive the label of one photograph from the reviews of it that stand, in whatever order they come."""
    said = sorted(reviews, key=lambda each: (each.step, each.pk))
    deciding = _deciding(said)
    found = [review for review in deciding if review.basis == Basis.HISTOPATHOLOGY]
    agreed = [review for review in deciding if review.basis == Basis.CONSENSUS]
    if found:
        by_findings = _by_findings(found)
        later = [review for review in agreed if review.step > found[-1].step]
        if by_findings.state == LabelState.SETTLED or not later:
            return by_findings
        return _by_consensus(later, said)
    if agreed:
        return _by_consensus(agreed, said)
    unsure = _who_took_back(said)
    held = [review for review in deciding if review.reviewer_id not in unsure]
    if rule == ReviewRule.TWO_BLINDED_READERS:
        return _unless_doubted(_by_blinded_readers(held), said)
    return _unless_doubted(_by_one_reader(held), said) if held else _open(Why.NOTHING_DECIDES)


def _by_findings(findings: Sequence[Said]) -> Settled:
    """The newest, unless it would take a colleague's finding of danger away."""
    held = {review.reviewer_id: review for review in findings}.values()
    newest = findings[-1]
    return _differing(held) if _is_outranked(newest, held) else _settled(Why.HISTOPATHOLOGY, [newest])


def _by_consensus(agreed: Sequence[Said], said: Sequence[Said]) -> Settled:
    """The newest; where a colleague names more danger, once a second reader has entered the same."""
    newest, standing = agreed[-1], _standing(said)
    same = {each.reviewer_id for each in agreed if _diagnosis(each) == _diagnosis(newest)}
    if len(same) < READERS_NEEDED and _is_outranked(newest, standing):
        return _differing({review.reviewer_id: review for review in (*_deciding(standing), newest)}.values())
    return _settled(Why.CONSENSUS, [newest])


def _standing(said: Sequence[Said]) -> list[Said]:
    """What each reader stands by: their last decision and all that they said since, as doubt takes nothing back."""
    decided = {review.reviewer_id: review for review in said if decides(review)}
    return [
        review
        for review in said
        if review is decided.get(review.reviewer_id)
        or review.reviewer_id not in decided
        or (review.step, review.pk) > (decided[review.reviewer_id].step, decided[review.reviewer_id].pk)
    ]


def _is_outranked(newest: Said, others: Iterable[Said]) -> bool:
    """Whether somebody names more danger than the newest."""
    return any(danger_rank(each.answer) > danger_rank(newest.answer) for each in others)


def _deciding(said: Iterable[Said]) -> list[Said]:
    return [review for review in said if decides(review)]


def _differing(held: Iterable[Said]) -> Settled:
    counted = sorted(held, key=lambda said: (said.step, said.pk))
    why = Why.READERS_DIFFER if len(counted) == READERS_NEEDED else Why.NO_MAJORITY
    return Settled(state=LabelState.DISPUTED, why=why, counted=tuple(counted))


def _who_took_back(said: Sequence[Said]) -> set[UUID]:
    """The readers who are no longer sure of what was not malignant; of a malignant answer doubt is no all-clear."""
    newest = {review.reviewer_id: review for review in said}
    decided = {review.reviewer_id: review for review in said if decides(review)}
    return {
        reader
        for reader, review in decided.items()
        if not decides(newest[reader]) and not is_malignant_answer(review.answer)
    }


def _unless_doubted(settled: Settled, said: Sequence[Said]) -> Settled:
    """Dispute what was settled as long as somebody who was not outvoted names more danger."""
    if settled.review is None:
        return settled
    weighed = {each.pk for each in settled.counted}
    if not _is_outranked(settled.review, (each for each in _standing(said) if each.pk not in weighed)):
        return settled
    return Settled(state=LabelState.DISPUTED, why=Why.READERS_DIFFER, counted=settled.counted)


def decides(review: Said) -> bool:
    return review.certainty in DECIDING and review.answer != CANNOT_TELL


def diagnosis_of(answer: str, other_text: str) -> tuple[str, str]:
    """What a review says, to be compared with others: of free text the words count too, however they are set."""
    return answer, " ".join(other_text.casefold().split())


def _diagnosis(review: Said) -> tuple[str, str]:
    return diagnosis_of(review.answer, review.other_text)


def _by_one_reader(deciding: Sequence[Said]) -> Settled:
    """The newest opinion, unless it would take a colleague's word of danger away."""
    newest_of_each = {review.reviewer_id: review for review in deciding}.values()
    newest = deciding[-1]
    if _is_outranked(newest, newest_of_each):
        return _differing(newest_of_each)
    return _settled(Why.NEWEST_OPINION, [newest])


def _by_blinded_readers(deciding: Sequence[Said]) -> Settled:
    newest = {review.reviewer_id: review for review in deciding if review.was_blinded}
    counted = sorted(newest.values(), key=lambda said: (said.step, said.pk))
    if not counted:
        return _open(Why.NOTHING_DECIDES)
    if len(counted) < READERS_NEEDED:
        return _open(Why.SECOND_MISSING, counted)
    ((most, votes),) = Counter(_diagnosis(review) for review in counted).most_common(1)
    if votes == len(counted):
        return _settled(Why.READERS_AGREE, counted)
    if votes * 2 > len(counted):
        return _settled(Why.MOST_AGREE, [review for review in counted if _diagnosis(review) == most], counted)
    return _differing(counted)


def _open(why: Why, counted: Sequence[Said] = ()) -> Settled:
    return Settled(state=LabelState.OPEN, why=why, counted=tuple(counted))


def _settled(why: Why, by: Sequence[Said], counted: Sequence[Said] | None = None) -> Settled:
    return Settled(
        state=LabelState.SETTLED,
        why=why,
        answer=by[-1].answer,
        counted=tuple(by if counted is None else counted),
        by=tuple(by),
    )
