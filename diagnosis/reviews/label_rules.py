"""The rules that derive a photograph's label from its reviews. They exist only here and read only the reviews.

Reviews are ordered by ``StandingReview.step``, never by the clock.

The rules, strongest first. A review *decides* if its certainty is certain or probable and its answer is not “cannot
tell”.

1. Histopathology that decides settles the label; of several, the newest. If a colleague's histopathology names more
   danger, the label is disputed until that colleague agrees, or two readers enter a later consensus.
2. Otherwise a consensus that decides settles the label. One that names less danger than a colleague counts only once a
   second reader has entered the same.
3. Otherwise opinions decide, by the clinic's rule:
   - one reader: the newest that decides settles the label. It never replaces a colleague's answer that names more
     danger: the label is then disputed until the colleague agrees, or until rule 1 or 2 applies;
   - two blinded readers: each reader's newest blinded opinion that decides counts. Two that agree settle the label. If
     they differ, it is disputed and a third is needed. From then on a majority settles it; without one it stays
     disputed until rule 1 or 2 applies.
4. Doubt overrides a label by rule 3 that is not malignant. A reader who becomes unsure withdraws their own such
   answer. If any reader still names more danger, whatever the certainty or blinding, and was not outvoted, the label
   is disputed.
5. A second opinion from outside the clinic never settles a label. It counts in rules 2 and 4, so it can dispute one.

There are three degrees of danger (``answers.danger_rank``): malignant, pre-malignant or in situ, and not known.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from diagnosis.reviews.answers import CANNOT_TELL, DECIDING, Basis, LabelState, Why, danger_rank, is_malignant_answer
from patients.models import ReviewRule

READERS_NEEDED = 2


class StandingReview(Protocol):
    """The fields of a review, not withdrawn, that a label depends on."""

    @property
    def pk(self) -> UUID: ...
    @property
    def reader_id(self) -> UUID: ...
    @property
    def is_from_outside(self) -> bool: ...
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
class LabelOutcome:
    """The label that the rules give.

    Attributes:
        answer: empty unless the label is settled.
        counted: the reviews that were considered, oldest first.
        by: those of them that gave the answer; empty unless the label is settled.
    """

    state: LabelState
    why: Why
    answer: str = ""
    counted: tuple[StandingReview, ...] = ()
    by: tuple[StandingReview, ...] = ()

    @property
    def review(self) -> StandingReview | None:
        """The newest review that gave the answer; None unless the label is settled."""
        return self.by[-1] if self.by else None


def settle(*, reviews: Iterable[StandingReview], rule: str) -> LabelOutcome:
    """Return the label of one photograph from its reviews that are not withdrawn, given in any order."""
    ordered = sorted(reviews, key=lambda each: (each.step, each.pk))
    # A doctor outside the clinic advises; only its own dermatologists settle a label.
    deciding = [review for review in _deciding(ordered) if not review.is_from_outside]
    histopathology = [review for review in deciding if review.basis == Basis.HISTOPATHOLOGY]
    consensus = [review for review in deciding if review.basis == Basis.CONSENSUS]
    if histopathology:
        outcome = _by_histopathology(histopathology)
        later = [review for review in consensus if review.step > histopathology[-1].step]
        if outcome.state == LabelState.SETTLED or not later:
            return outcome
        return _by_consensus(later, ordered)
    if consensus:
        return _by_consensus(consensus, ordered)
    unsure = _now_unsure(ordered)
    opinions = [review for review in deciding if review.reader_id not in unsure]
    if rule == ReviewRule.TWO_BLINDED_READERS:
        return _unless_doubted(_by_blinded_readers(opinions), ordered)
    return _unless_doubted(_by_one_reader(opinions), ordered) if opinions else _open(Why.NOTHING_DECIDES)


def _by_histopathology(findings: Sequence[StandingReview]) -> LabelOutcome:
    """Settle by the newest finding, unless a colleague's finding names more danger."""
    newest_of_each = {review.reader_id: review for review in findings}.values()
    newest = findings[-1]
    if _is_outranked(newest, newest_of_each):
        return _differing(newest_of_each)
    return _settled(Why.HISTOPATHOLOGY, [newest])


def _by_consensus(consensus: Sequence[StandingReview], reviews: Sequence[StandingReview]) -> LabelOutcome:
    """Settle by the newest consensus. If a colleague names more danger, a second reader must have entered the same."""
    newest, standing = consensus[-1], _standing(reviews)
    same = {each.reader_id for each in consensus if _diagnosis(each) == _diagnosis(newest)}
    if len(same) < READERS_NEEDED and _is_outranked(newest, standing):
        return _differing({review.reader_id: review for review in (*_deciding(standing), newest)}.values())
    return _settled(Why.CONSENSUS, [newest])


def _standing(reviews: Sequence[StandingReview]) -> list[StandingReview]:
    """Return each reader's last deciding review and their later ones, since later doubt does not withdraw it."""
    decided = {review.reader_id: review for review in reviews if decides(review)}
    return [
        review
        for review in reviews
        if review is decided.get(review.reader_id)
        or review.reader_id not in decided
        or (review.step, review.pk) > (decided[review.reader_id].step, decided[review.reader_id].pk)
    ]


def _is_outranked(newest: StandingReview, others: Iterable[StandingReview]) -> bool:
    """Return whether any other review names more danger than the newest."""
    return any(danger_rank(each.answer) > danger_rank(newest.answer) for each in others)


def _deciding(reviews: Iterable[StandingReview]) -> list[StandingReview]:
    return [review for review in reviews if decides(review)]


def _differing(reviews: Iterable[StandingReview]) -> LabelOutcome:
    counted = sorted(reviews, key=lambda review: (review.step, review.pk))
    why = Why.READERS_DIFFER if len(counted) == READERS_NEEDED else Why.NO_MAJORITY
    return LabelOutcome(state=LabelState.DISPUTED, why=why, counted=tuple(counted))


def _now_unsure(reviews: Sequence[StandingReview]) -> set[UUID]:
    """Return the readers who are now unsure of an answer that is not malignant. Malignant answers are kept."""
    newest = {review.reader_id: review for review in reviews}
    decided = {review.reader_id: review for review in reviews if decides(review)}
    return {
        reader
        for reader, review in decided.items()
        if not decides(newest[reader]) and not is_malignant_answer(review.answer)
    }


def _unless_doubted(outcome: LabelOutcome, reviews: Sequence[StandingReview]) -> LabelOutcome:
    """Return the outcome, disputed if a reader who was not outvoted names more danger."""
    if outcome.review is None:
        return outcome
    counted = {each.pk for each in outcome.counted}
    if not _is_outranked(outcome.review, (each for each in _standing(reviews) if each.pk not in counted)):
        return outcome
    return LabelOutcome(state=LabelState.DISPUTED, why=Why.READERS_DIFFER, counted=outcome.counted)


def decides(review: StandingReview) -> bool:
    """Return whether a review can settle a label: certain or probable, and not “cannot tell”."""
    return review.certainty in DECIDING and review.answer != CANNOT_TELL


def diagnosis_of(answer: str, other_text: str) -> tuple[str, str]:
    """Return a key to compare answers: the code, and the words of free text regardless of case and spacing."""
    return answer, " ".join(other_text.casefold().split())


def _diagnosis(review: StandingReview) -> tuple[str, str]:
    return diagnosis_of(review.answer, review.other_text)


def _by_one_reader(deciding: Sequence[StandingReview]) -> LabelOutcome:
    """Settle by the newest opinion, unless a colleague's opinion names more danger."""
    newest_of_each = {review.reader_id: review for review in deciding}.values()
    newest = deciding[-1]
    if _is_outranked(newest, newest_of_each):
        return _differing(newest_of_each)
    return _settled(Why.NEWEST_OPINION, [newest])


def _by_blinded_readers(deciding: Sequence[StandingReview]) -> LabelOutcome:
    newest = {review.reader_id: review for review in deciding if review.was_blinded}
    counted = sorted(newest.values(), key=lambda review: (review.step, review.pk))
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


def _open(why: Why, counted: Sequence[StandingReview] = ()) -> LabelOutcome:
    return LabelOutcome(state=LabelState.OPEN, why=why, counted=tuple(counted))


def _settled(why: Why, by: Sequence[StandingReview], counted: Sequence[StandingReview] | None = None) -> LabelOutcome:
    return LabelOutcome(
        state=LabelState.SETTLED,
        why=why,
        answer=by[-1].answer,
        counted=tuple(by if counted is None else counted),
        by=tuple(by),
    )
