"""Kappas: against worked examples of the papers, then on the page."""

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnosis.reviews.blinding import note_seen
from diagnosis.reviews.kappa import cohen, cohen_for_class, fleiss
from diagnosis.reviews.services import record_review
from mlmodel.taxonomy import CODES
from patients.models import Role
from tests import factories
from tests.hooks import codes

answers = st.lists(st.tuples(st.sampled_from(CODES[:4]), st.sampled_from(CODES[:4])), min_size=1, max_size=60)
# Fleiss (1971), table 1: thirty patients, six psychiatrists, five categories.
FLEISS_1971 = [
    (0, 0, 0, 6, 0), (0, 3, 0, 0, 3), (0, 1, 4, 0, 1), (0, 0, 0, 0, 6), (0, 3, 0, 3, 0), (2, 0, 4, 0, 0),
    (0, 0, 4, 0, 2), (2, 0, 3, 1, 0), (2, 0, 0, 4, 0), (0, 0, 0, 0, 6), (1, 0, 0, 5, 0), (1, 1, 0, 4, 0),
    (0, 3, 3, 0, 0), (1, 0, 0, 5, 0), (0, 2, 0, 3, 1), (0, 0, 5, 0, 1), (3, 0, 0, 1, 2), (5, 1, 0, 0, 0),
    (0, 2, 0, 4, 0), (1, 0, 2, 0, 3), (0, 0, 0, 0, 6), (0, 1, 0, 5, 0), (0, 2, 0, 1, 3), (2, 0, 0, 4, 0),
    (1, 0, 0, 4, 1), (0, 5, 0, 1, 0), (4, 0, 0, 0, 2), (0, 2, 0, 4, 0), (1, 0, 5, 0, 0), (0, 0, 0, 0, 6),
]  # fmt: skip


def test_the_worked_example_of_fleiss():
    said = [[str(kind) for kind, number in enumerate(row) for _reader in range(number)] for row in FLEISS_1971]
    found = fleiss(said)
    assert found.observed == pytest.approx(0.556, abs=0.001)
    assert found.kappa == pytest.approx(0.430, abs=0.001)


def test_a_worked_example_of_two_readers():
    """20 yes/yes, 15 no/no, 5 and 10 apart: 0.7 agree, 0.5 by chance."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = cohen(pairs)
    assert (found.count, found.observed, found.kappa) == (50, pytest.approx(0.7), pytest.approx(0.4))
    assert found.low == pytest.approx(0.4 - 1.96 * (0.7 * 0.3 / 50) ** 0.5 / 0.5)


@settings(deadline=None)  # the first call imports scikit-learn's metrics
@given(pairs=answers)
def test_as_scikit_learn_has_it(pairs):
    from sklearn.metrics import cohen_kappa_score

    found = cohen(pairs)
    if found.kappa is None:
        assert len({answer for pair in pairs for answer in pair}) == 1
    else:
        assert found.low is not None
        assert found.high is not None
        assert found.kappa == pytest.approx(cohen_kappa_score(*zip(*pairs, strict=True)))
        assert -1 <= found.low <= found.kappa <= found.high <= 1


@given(pairs=answers)
def test_who_is_named_first_is_nothing(pairs):
    turned = [(other, one) for one, other in pairs]
    assert cohen(turned).observed == cohen(pairs).observed
    assert cohen(turned).kappa == pytest.approx(cohen(pairs).kappa)


def test_where_there_is_nothing_to_measure_nothing_is_claimed():
    assert cohen([]).kappa is None
    assert fleiss([]).kappa is None
    assert cohen([("nv", "nv")] * 5).kappa is None
    assert fleiss([["nv", "nv"]] * 5).kappa is None
    assert cohen_for_class([("nv", "mel")] * 3, "bcc").observed == 1
    with pytest.raises(ValueError, match="same number of readers"):
        fleiss([["nv", "nv"], ["nv", "nv", "mel"]])


# --- The page --------------------------------------------------------------------------------------------------


@pytest.fixture
def colleague(clinic):
    return factories.MemberFactory(clinic=clinic, role=Role.DERMATOLOGIST)


def read(patient, code, *said, was_blinded=True, **facts):
    """A photograph of which the network said ``code``, and each reader in ``said`` (member, answer) what they said."""
    image = factories.ImageFactory(lesion__patient=patient)
    factories.PredictionFactory(image=image, code=code)
    for reader, answer in said:
        record_review(
            image=image, reviewer=reader, answer=answer, certainty="certain", was_blinded=was_blinded, **facts
        )
    return image


def test_the_page_compares_readers_with_each_other_and_with_the_network(
    sign_in, patient, dermatologist, colleague, manager
):
    for code, one, other in (("nv", "nv", "nv"), ("mel", "mel", "nv"), ("nv", "mel", "mel"), ("bcc", "bcc", "bcc")):
        read(patient, code, (dermatologist, one), (colleague, other))
    read(patient, "nv", (dermatologist, "not_a_lesion"))
    read(patient, "nv", (dermatologist, "mel"), basis="histopathology")
    read(patient, "nv", (dermatologist, "mel"), was_blinded=False)

    page = sign_in(manager).get(reverse("admin:review-agreement"))
    report = page.context["blinded"]

    (pair,), (group,) = report.pairs, report.groups
    assert (pair.overall.count, pair.overall.observed) == (4, 0.75)
    assert pair.overall.kappa == pytest.approx((0.75 - 0.3125) / (1 - 0.3125))
    assert (group.title, group.overall.count) == ("2", 4)
    network = {comparison.title: comparison.overall for comparison in report.network}
    assert network[dermatologist.name].observed == 0.75
    assert network[colleague.name].observed == 0.5
    assert report.outside == 1
    assert "0.64" in page.content.decode()
    assert dermatologist.name in page.content.decode()

    unblinded = page.context["unblinded"]
    assert (unblinded.opinions, unblinded.photographs) == (1, 1)
    (alone,) = unblinded.network
    assert (alone.title, alone.overall.observed) == (dermatologist.name, 0.0)


def test_another_clinics_opinions_are_not_in_it(sign_in, patient, dermatologist, stranger):
    read(patient, "nv", (dermatologist, "nv"))
    page = sign_in(stranger).get(reverse("admin:review-agreement"), {"days": "nonsense"})
    assert page.context["blinded"].opinions == 0
    assert "no_opinions" in codes(page.content.decode())


def test_a_diagnosis_outside_the_seven_is_compared_by_what_it_is_and_with_the_network_on_danger(
    sign_in, patient, dermatologist, colleague, manager
):
    read(patient, "nv", (dermatologist, "scc"), (colleague, "scc"))
    read(patient, "bcc", (dermatologist, "scc"), (colleague, "merkel"))
    read(patient, "bcc", (dermatologist, "psoriasis"), (colleague, "tinea"))
    read(patient, "nv", (dermatologist, "spitz_atypical"), (colleague, "spitz_atypical"))
    image = read(patient, "nv")
    for reader, words in ((dermatologist, "Clear cell acanthoma"), (colleague, "Epidermal nevus")):
        record_review(
            image=image, reviewer=reader, answer="other", other_text=words, certainty="certain", was_blinded=True
        )
    page = sign_in(manager).get(reverse("admin:review-agreement"))
    report = page.context["blinded"]
    (pair,), (group,) = report.pairs, report.groups
    assert (pair.overall.count, pair.overall.observed) == (5, 0.4)
    assert (pair.danger.count, pair.danger.observed) == (3, 1.0)
    assert (group.danger.count, group.danger.observed) == (3, 1.0)
    network = next(each for each in report.network if each.title == dermatologist.name)
    assert network.overall.count == 0
    assert (network.danger.count, round(network.danger.observed, 2)) == (3, 0.33)
    assert report.outside == 10
    assert "of 3, kappa" in page.content.decode()


def test_minds_changed_by_the_network_are_counted_by_direction(sign_in, patient, dermatologist, colleague, manager):
    for code, blinded, again in (
        ("mel", "nv", "mel"), ("mel", "mel", "nv"), ("mel", "nv", "bkl"), ("nv", "nv", "nv"), ("nv", "bkl", None),
    ):  # fmt: skip
        image = read(patient, code, (dermatologist, blinded))
        note_seen(dermatologist, [image])
        if again:
            # Even a caller that claims to have hidden the answer is not believed.
            record_review(image=image, reviewer=dermatologist, answer=again, certainty="certain", was_blinded=True)
    read(patient, "nv", (colleague, "mel"), was_blinded=False)

    changed = sign_in(manager).get(reverse("admin:review-agreement")).context["changed_minds"]

    assert (changed.again, changed.towards, changed.away, changed.otherwise) == (4, 1, 1, 1)
