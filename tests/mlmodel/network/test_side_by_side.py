"""Parallel tasks: both results are returned, both have ended, and errors are raised."""

import threading

import numpy as np
import pytest

from mlmodel.network.analyser import get_analyser
from mlmodel.network.quality import Verdict, judge
from mlmodel.network.side_by_side import side_by_side
from mlmodel.pictures.picture import decode
from mlmodel.segmentation.measuring import measure_picture
from mlmodel.segmentation.segmenter import get_segmenter
from tests.api.helpers import refused_photograph


def test_both_are_done_at_once_in_threads_of_their_own():
    meet = threading.Barrier(2, timeout=10)
    one, other = side_by_side(
        lambda: (meet.wait(), threading.get_ident()), lambda: (meet.wait(), threading.get_ident())
    )
    assert other[1] == threading.get_ident() != one[1]


@pytest.mark.parametrize("fails", [0, 1])
def test_an_error_of_either_is_told_once_both_have_ended(fails):
    ended = threading.Event()

    def fail() -> None:
        raise ValueError("no")

    jobs = [ended.set, ended.set]
    jobs[fails] = fail
    with pytest.raises(ValueError, match="no"):
        side_by_side(*jobs)
    assert ended.is_set()


def test_what_is_done_beside_the_engine_says_what_it_says_alone(photograph):
    picture = decode(photograph)
    analysis = get_analyser().analyse(picture, measures=True)
    alone = decode(photograph)
    assert analysis.quality.measures.items() >= judge(alone).measures.items()
    outlined = get_segmenter().segment(alone.pixels)
    assert analysis.segmentation
    assert analysis.segmentation.outline is not None
    assert outlined.outline is not None
    assert np.array_equal(analysis.segmentation.outline, outlined.outline)
    assert analysis.measured
    assert analysis.measured.as_values() == measure_picture(alone).as_values()
    assert get_analyser().analyse(picture).measured is None


def test_nothing_is_measured_on_what_is_refused_unless_it_is_forced():
    picture = decode(refused_photograph())
    refused = get_analyser().analyse(picture, measures=True)
    assert refused.quality.verdict is not Verdict.ACCEPTED
    assert (refused.assessment, refused.segmentation, refused.measured) == (None, None, None)
    forced = get_analyser().analyse(picture, measures=True, force=True)
    assert forced.assessment
    assert forced.measured
