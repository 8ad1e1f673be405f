"""What reviews make of a label: the rules by themselves."""

import uuid
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosis.reviews.answers import (
    ANSWERS,
    CANNOT_TELL,
    Basis,
    Certainty,
    LabelState,
    Why,
    danger_rank,
    is_malignant_answer,
)
from diagnosis.reviews.label_rules import LabelOutcome, decides, settle
from patients.models import ReviewRule

ONE, TWO = ReviewRule.ONE_READER, ReviewRule.TWO_BLINDED_READERS
READERS = [uuid.UUID(int=number) for number in range(4)]


@dataclass(frozen=True)
class Opinion:
    reader_id: uuid.UUID
    answer: str
    other_text: str = ""
    certainty: str = Certainty.CERTAIN
    basis: str = Basis.DERMATOSCOPY
    was_blinded: bool = True
    step: int = 0
    is_from_outside: bool = False
    pk: uuid.UUID = field(default_factory=uuid.uuid4)


def said(*answers: str, **facts) -> list[Opinion]:
    """One opinion of each of as many readers, one after the other."""
    return [Opinion(READERS[number], answer, step=number, **facts) for number, answer in enumerate(answers)]


opinions = st.lists(
    st.builds(
        Opinion,
        reader_id=st.sampled_from(READERS),
        answer=st.sampled_from(ANSWERS),
        certainty=st.sampled_from(Certainty.values),
        basis=st.sampled_from(Basis.values),
        was_blinded=st.booleans(),
        step=st.integers(0, 50),
        pk=st.uuids(),
    ),
    max_size=9,
    unique_by=lambda opinion: opinion.pk,
)
rules = st.sampled_from(ReviewRule.values)


def outcome(settled: LabelOutcome) -> tuple[str, str, str]:
    return settled.state, settled.answer, settled.why


@pytest.mark.parametrize(
    ("rule", "answers", "state", "answer", "why"),
    [
        (ONE, [], "open", "", Why.NOTHING_DECIDES),
        (ONE, ["nv"], "settled", "nv", Why.NEWEST_OPINION),
        (ONE, ["nv", "mel"], "settled", "mel", Why.NEWEST_OPINION),
        (TWO, [], "open", "", Why.NOTHING_DECIDES),
        (TWO, ["nv"], "open", "", Why.SECOND_MISSING),
        (TWO, ["nv", "nv"], "settled", "nv", Why.READERS_AGREE),
        (TWO, ["nv", "mel"], "disputed", "", Why.READERS_DIFFER),
        (TWO, ["nv", "mel", "mel"], "settled", "mel", Why.MOST_AGREE),
        (TWO, ["nv", "mel", "bkl"], "disputed", "", Why.NO_MAJORITY),
        (TWO, ["nv", "mel", "mel", "nv"], "disputed", "", Why.NO_MAJORITY),
        (TWO, ["nv", "mel", "bkl", "mel"], "disputed", "", Why.NO_MAJORITY),
    ],
)
def test_opinions_by_rule(rule, answers, state, answer, why):
    assert outcome(settle(reviews=said(*answers), rule=rule)) == (state, answer, why)


def test_one_reader_twice_is_one_reader():
    first, second = said("nv", "mel")
    again = replace(second, reader_id=first.reader_id)
    assert outcome(settle(reviews=[first, again], rule=TWO)) == ("open", "", Why.SECOND_MISSING)


def test_who_changes_their_mind_is_counted_once_with_the_newest():
    first, second = said("nv", "mel")
    later = replace(first, answer="mel", step=60, pk=uuid.uuid4())
    assert outcome(settle(reviews=[first, second, later], rule=TWO)) == ("settled", "mel", Why.READERS_AGREE)


@pytest.mark.parametrize("rule", ReviewRule.values)
@pytest.mark.parametrize(
    ("basis", "why"), [(Basis.HISTOPATHOLOGY, Why.HISTOPATHOLOGY), (Basis.CONSENSUS, Why.CONSENSUS)]
)
def test_what_outranks_opinions_does_so_whenever_it_was_said(rule, basis, why):
    stronger = Opinion(READERS[3], "bcc", basis=basis, was_blinded=False, step=-9)
    assert outcome(settle(reviews=[*said("nv", "nv", "nv"), stronger], rule=rule)) == ("settled", "bcc", why)


def test_histopathology_outranks_consensus():
    reviews = [*said("mel", basis=Basis.HISTOPATHOLOGY), *said("nv", "nv", basis=Basis.CONSENSUS)]
    assert outcome(settle(reviews=reviews, rule=TWO)) == ("settled", "mel", Why.HISTOPATHOLOGY)


def test_who_had_seen_the_networks_answer_is_no_blinded_reader():
    reviews = [*said("nv"), *said("mel", "nv", was_blinded=False)[1:]]
    assert settle(reviews=reviews, rule=TWO).why == Why.SECOND_MISSING


@given(reviews=opinions, rule=rules, shuffle=st.randoms())
def test_the_order_in_which_reviews_are_read_is_nothing(reviews, rule, shuffle):
    mixed = list(reviews)
    shuffle.shuffle(mixed)
    assert settle(reviews=mixed, rule=rule) == settle(reviews=reviews, rule=rule)


@given(reviews=opinions, rule=rules, more=opinions)
def test_what_does_not_decide_never_reassures_and_takes_no_danger_away(reviews, rule, more):
    noise = [opinion for opinion in more if not decides(opinion)]
    before, after = settle(reviews=reviews, rule=rule), settle(reviews=[*reviews, *noise], rule=rule)
    names_more = any(danger_rank(opinion.answer) > danger_rank(before.answer) for opinion in noise)
    if is_malignant_answer(before.answer) and not names_more:
        assert outcome(after)[:2] == outcome(before)[:2]
    if after.answer and not is_malignant_answer(after.answer):
        assert before.answer
        assert not is_malignant_answer(before.answer)


@pytest.mark.parametrize("rule", [ONE, TWO])
@pytest.mark.parametrize(
    ("answer", "certainty", "state", "label"),
    [
        ("mel", "unsure", "open", ""),
        ("cannot_tell", "certain", "open", ""),
        ("nv", "unsure", "open", ""),
        ("bkl", "certain", "settled", "bkl"),
    ],
)
def test_who_becomes_unsure_of_something_harmless_takes_it_back(rule, answer, certainty, state, label):
    first, second = said("nv", "nv")
    reviews = [first] if rule == ONE else [first, second]
    newer = [replace(review, answer=answer, certainty=certainty, step=60, pk=uuid.uuid4()) for review in reviews]
    settled = settle(reviews=[*reviews, *newer], rule=rule)
    assert (settled.state, settled.answer) == (state, label)


@pytest.mark.parametrize(("answer", "state"), [("mel", "disputed"), ("cannot_tell", "settled"), ("df", "settled")])
@pytest.mark.parametrize("rule", [ONE, TWO])
def test_a_colleagues_later_suspicion_disputes_what_was_harmless(rule, answer, state):
    reviews = list(said("nv", "nv"))
    suspicion = replace(
        reviews[0], reader_id=uuid.uuid4(), answer=answer, certainty="unsure", step=60, pk=uuid.uuid4()
    )
    assert settle(reviews=[*reviews, suspicion], rule=rule).state == state
    earlier = replace(suspicion, step=-1)
    assert settle(reviews=[*reviews, earlier], rule=rule).state == state, "nor does deciding answer it for them"
    if answer == "mel":
        agrees = replace(earlier, answer="nv", certainty="certain", was_blinded=False, step=70, pk=uuid.uuid4())
        assert settle(reviews=[*reviews, earlier, agrees], rule=rule).state == "settled"
        together = replace(reviews[0], basis="consensus", step=71, pk=uuid.uuid4())
        assert settle(reviews=[*reviews, earlier, together], rule=rule).state == "disputed", "one alone has conferred"
        second = replace(together, reader_id=READERS[2], step=72, pk=uuid.uuid4())
        assert settle(reviews=[*reviews, earlier, together, second], rule=rule).state == "settled"
    proven = replace(reviews[0], basis="histopathology")
    assert settle(reviews=[*reviews, proven, suspicion], rule=rule).state == "settled"


def test_doubt_takes_no_danger_away():
    (first,) = said("bcc")
    newer = replace(first, answer="cannot_tell", step=60, pk=uuid.uuid4())
    assert outcome(settle(reviews=[first, newer], rule=ONE))[:2] == ("settled", "bcc")


@given(reviews=opinions, rule=rules)
def test_a_settled_answer_was_given_by_somebody_who_decides(reviews, rule):
    label = settle(reviews=reviews, rule=rule)
    assert (label.state == LabelState.SETTLED) == bool(label.answer) == bool(label.by)
    assert all(decides(review) and review.answer == label.answer for review in label.by)
    assert set(label.by) <= set(label.counted) <= set(reviews)
    assert label.answer != CANNOT_TELL


@given(reviews=opinions, rule=rules, report=st.sampled_from([answer for answer in ANSWERS if answer != CANNOT_TELL]))
def test_a_new_report_of_the_pathologist_settles_unless_it_takes_a_colleagues_danger_away(reviews, rule, report):
    newest = Opinion(READERS[0], report, basis=Basis.HISTOPATHOLOGY, step=90)
    findings = [each for each in reviews if decides(each) and each.basis == Basis.HISTOPATHOLOGY]
    by_colleagues = [each for each in findings if each.reader_id != newest.reader_id]
    held = {each.reader_id: each for each in sorted(by_colleagues, key=lambda each: (each.step, each.pk))}
    if not any(danger_rank(each.answer) > danger_rank(report) for each in held.values()):
        assert outcome(settle(reviews=[*reviews, newest], rule=rule)) == ("settled", report, Why.HISTOPATHOLOGY)
    else:
        assert settle(reviews=[*reviews, newest], rule=rule).state in {"disputed", "settled"}
        no_consensus = [each for each in reviews if each.basis != Basis.CONSENSUS]
        assert settle(reviews=[*no_consensus, newest], rule=rule).state == "disputed"


def test_two_findings_that_differ_about_danger_are_disputed_until_readers_confer():
    proven, other = said("mel", "nv", basis=Basis.HISTOPATHOLOGY)
    assert outcome(settle(reviews=[proven, other], rule=ONE)) == ("disputed", "", Why.READERS_DIFFER)
    assert settle(reviews=[proven, replace(other, reader_id=proven.reader_id)], rule=ONE).answer == "nv"
    agrees = replace(proven, answer="nv", step=5, pk=uuid.uuid4())
    assert settle(reviews=[proven, other, agrees], rule=ONE).answer == "nv"
    together = replace(other, answer="bcc", basis=Basis.CONSENSUS, step=6, pk=uuid.uuid4())
    assert outcome(settle(reviews=[proven, other, together], rule=ONE)) == ("settled", "bcc", Why.CONSENSUS)
    assert settle(reviews=[replace(together, step=-1), proven, other], rule=ONE).state == "disputed"
    harmless = replace(together, answer="nv")
    assert settle(reviews=[proven, other, harmless], rule=ONE).state == "disputed", "one alone takes no danger away"
    second = replace(harmless, reader_id=READERS[2], step=7, pk=uuid.uuid4())
    assert outcome(settle(reviews=[proven, other, harmless, second], rule=ONE)) == ("settled", "nv", Why.CONSENSUS)
    before, after = said("mel", "nv", basis=Basis.CONSENSUS)
    assert settle(reviews=[before, after], rule=ONE).state == "disputed"


@given(reviews=opinions)
def test_opinions_of_one_reader_never_settle_where_it_takes_two(reviews):
    alone = [replace(review, reader_id=READERS[0], basis=Basis.FOLLOW_UP) for review in reviews]
    assert settle(reviews=alone, rule=TWO).state == LabelState.OPEN


@given(reviews=opinions)
def test_where_one_reader_decides_only_a_word_of_danger_ever_disputes_what_is_harmless(reviews):
    label = settle(reviews=reviews, rule=ONE)
    if label.state == LabelState.DISPUTED:
        assert len({danger_rank(review.answer) for review in reviews}) > 1


@given(reviews=opinions)
def test_where_one_reader_decides_among_harmless_answers_nothing_is_disputed(reviews):
    harmless = [review for review in reviews if not danger_rank(review.answer)]
    assert settle(reviews=harmless, rule=ONE).state != LabelState.DISPUTED


@pytest.mark.parametrize("rule", [ONE, TWO])
@pytest.mark.parametrize("named", ["meltump", "other"])
@pytest.mark.parametrize("certainty", ["certain", "unsure"])
def test_what_may_be_malignant_is_not_taken_away_either(rule, named, certainty):
    caveat, *sure = said(named, "nv", "nv")
    caveat = replace(caveat, certainty=certainty, was_blinded=False)
    for reviews in ([caveat, *sure], [*sure, replace(caveat, step=9)]):
        assert settle(reviews=reviews, rule=rule).answer != "nv"
    worse = [replace(each, answer="mel") for each in sure]
    assert settle(reviews=[caveat, *worse], rule=rule).answer == "mel"


@pytest.mark.parametrize("certainty", ["certain", "unsure"])
def test_a_consensus_that_names_less_danger_takes_two_to_enter_it(certainty):
    melanoma, nevus = said("mel", "nv")
    melanoma, nevus = replace(melanoma, certainty=certainty), replace(nevus, basis=Basis.CONSENSUS)
    assert settle(reviews=[melanoma, nevus], rule=ONE).state == "disputed"
    again = replace(nevus, step=5, pk=uuid.uuid4())
    assert settle(reviews=[melanoma, nevus, again], rule=ONE).state == "disputed", "the same reader twice is one"
    for second in (replace(again, reader_id=READERS[2]), replace(again, reader_id=melanoma.reader_id)):
        assert outcome(settle(reviews=[melanoma, nevus, second], rule=ONE)) == ("settled", "nv", Why.CONSENSUS)


@pytest.mark.parametrize(("answer", "certainty"), [("nv", "unsure"), ("cannot_tell", "certain")])
def test_who_is_unsure_of_their_melanoma_has_not_agreed_to_a_consensus(answer, certainty):
    melanoma, nevus = said("mel", "nv")
    nevus = replace(nevus, basis=Basis.CONSENSUS)
    caveat = replace(melanoma, answer=answer, certainty=certainty, step=9, pk=uuid.uuid4())
    assert settle(reviews=[melanoma, nevus, caveat], rule=ONE).state == "disputed"
    agrees = replace(melanoma, answer="nv", step=10, pk=uuid.uuid4())
    assert settle(reviews=[melanoma, nevus, caveat, agrees], rule=ONE).answer == "nv"


@pytest.mark.parametrize("rule", [ONE, TWO])
@pytest.mark.parametrize(("answer", "certainty"), [("nv", "unsure"), ("cannot_tell", "certain")])
def test_a_suspicion_stands_until_its_reader_decides(rule, answer, certainty):
    suspicion, *sure = said("mel", "nv", "nv")
    suspicion = replace(suspicion, certainty="unsure", was_blinded=False)
    caveat = replace(suspicion, answer=answer, certainty=certainty, step=8, pk=uuid.uuid4())
    assert settle(reviews=[suspicion, *sure, caveat], rule=rule).state == "disputed"
    decided = replace(caveat, answer="bkl", certainty="probable", step=9, pk=uuid.uuid4())
    assert settle(reviews=[suspicion, *sure, caveat, decided], rule=rule).state == "settled"


@pytest.mark.parametrize("rule", [ONE, TWO])
def test_what_is_pre_malignant_takes_no_melanoma_away(rule):
    melanoma, *others = said("mel", "akiec", "akiec")
    melanoma = replace(melanoma, was_blinded=False)
    assert settle(reviews=[melanoma, *others], rule=rule).state == "disputed"


def test_what_is_harmless_settles_over_a_colleagues_melanoma_once_they_agree():
    first, second = said("mel", "nv")
    assert outcome(settle(reviews=[first, second], rule=ONE)) == ("disputed", "", Why.READERS_DIFFER)
    agreed = replace(first, answer="nv", step=60, pk=uuid.uuid4())
    assert outcome(settle(reviews=[first, second, agreed], rule=ONE)) == ("settled", "nv", Why.NEWEST_OPINION)


@given(reviews=opinions, rule=rules, answer=st.sampled_from(ANSWERS), certainty=st.sampled_from(Certainty.values))
def test_a_second_opinion_from_outside_settles_nothing_and_never_lowers_the_danger(reviews, rule, answer, certainty):
    outside = Opinion(uuid.uuid4(), answer, certainty=certainty, was_blinded=False, step=99, is_from_outside=True)
    before, after = settle(reviews=reviews, rule=rule), settle(reviews=[*reviews, outside], rule=rule)
    assert outside not in after.by
    if after.state == LabelState.SETTLED:
        assert (before.state, before.answer) == (after.state, after.answer)
    if before.state == LabelState.SETTLED and after.state != before.state:
        assert danger_rank(answer) > danger_rank(before.answer)


def test_a_melanoma_from_outside_disputes_a_nevus():
    (nevus,) = said("nv")
    outside = Opinion(READERS[3], "mel", was_blinded=False, step=5, is_from_outside=True)
    assert outcome(settle(reviews=[nevus, outside], rule=ONE)) == ("disputed", "", Why.READERS_DIFFER)
    assert outcome(settle(reviews=[outside], rule=ONE)) == ("open", "", Why.NOTHING_DECIDES)
