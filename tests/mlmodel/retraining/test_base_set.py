"""The shipped base set is complete, small, free of leakage and consistent with the results on the card."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from mlmodel.metrics import performance
from mlmodel.network.head import Head
from mlmodel.network.stages import FEATURE_COUNT
from mlmodel.releases.release import load_release
from mlmodel.releases.release_files import MANIFEST, SHIPPED, ReleaseError
from mlmodel.retraining import Cases, read_base_set
from mlmodel.retraining.base_set import BASE_SET_FILE, BaseSet, write_base_set

pytestmark = pytest.mark.slow

WIDTH = 12


def test_the_network_has_the_cards_figures_on_the_locked_test_that_travels(base, active):
    answers = active.answers_by_lesion(base.locked)
    stated = load_release().settings["locked_test"]["lesions"]

    assert (len(base.locked), len(answers.labels)) == (1983, 1480)
    # Features are rounded: a lesion here and there changes its name.
    assert performance.balanced_accuracy(answers) == pytest.approx(stated["balanced_accuracy"]["value"], abs=0.01)
    assert performance.accuracy(answers) == pytest.approx(stated["accuracy"]["value"], abs=0.005)
    assert performance.macro_auc(answers) == pytest.approx(stated["macro_auc"]["value"], abs=0.002)
    error = performance.expected_calibration_error(answers)
    assert error == pytest.approx(stated["calibration_error"]["value"], abs=0.005)


def test_no_lesion_is_in_two_parts_and_every_class_is_in_each(base):
    replay, calibration, locked = (set(part.lesions) for part in (base.replay, base.calibration, base.locked))

    assert not replay & calibration
    assert not replay & locked
    assert not calibration & locked
    for part in (base.replay, base.calibration, base.locked):
        assert set(part.labels) == set(range(7))


def test_it_is_of_the_backbone_that_is_shipped_and_small_enough_to_travel(base):
    release = load_release()

    assert base.backbone_sha256 == release.backbone_sha256
    assert base.replay.features.shape[1] == FEATURE_COUNT
    assert base.replay.features.dtype == np.float16
    assert (SHIPPED / BASE_SET_FILE).stat().st_size < 20_000_000
    # The release's own hash is over what answers; what it is judged with may grow.
    assert release.version == "xception-b6c57a14"


def test_an_altered_base_set_is_refused_by_name(tmp_path):
    shutil.copy(SHIPPED / MANIFEST, tmp_path)
    damaged = bytearray((SHIPPED / BASE_SET_FILE).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / BASE_SET_FILE).write_bytes(damaged)

    with pytest.raises(ReleaseError, match=r"base_set\.npz was altered"):
        read_base_set(tmp_path / BASE_SET_FILE)


def test_a_missing_base_set_is_refused_with_what_to_do(tmp_path):
    shutil.copy(SHIPPED / MANIFEST, tmp_path)

    with pytest.raises(ReleaseError, match="Restore the files"):
        read_base_set(tmp_path / BASE_SET_FILE)


def test_a_file_of_the_release_that_is_no_base_set_is_refused():
    with pytest.raises(ReleaseError, match="is not the base set"):
        read_base_set(SHIPPED / "head.npz")


def test_what_is_written_is_read_again_to_within_the_grid(tmp_path, monkeypatch):
    generator = np.random.default_rng(3)
    parts = {name: _cases(generator, name) for name in ("replay", "calibration", "locked")}
    head = _head(generator)
    path = tmp_path / BASE_SET_FILE
    base = BaseSet("b" * 64, replay=parts["replay"], calibration=parts["calibration"], locked=parts["locked"])
    write_base_set(base, path, head=head, fineness=16.0)
    (tmp_path / MANIFEST).write_text('{"files": {}, "settings": {}}')
    monkeypatch.setattr("mlmodel.retraining.base_set.verified_file", lambda role, folder: path)

    found = read_base_set(path)

    assert found.backbone_sha256 == "b" * 64
    for name, cases in parts.items():
        read: Cases = getattr(found, name)
        assert np.array_equal(read.labels, cases.labels)
        assert np.array_equal(read.lesions, cases.lesions)
        logits, before = (head.logits(each.features.astype(np.float32)) for each in (read, cases))
        assert np.abs(logits - before).max() < 0.1 * before.std()
        # What the head does not read is kept as its mean alone.
        assert np.ptp(read.features[:, 0]) == 0 < np.ptp(cases.features[:, 0])


@pytest.mark.parametrize("change", [{"labels": np.array([0, 7])}, {"labels": np.array([-1, 0])},
                                    {"labels": np.array([0])}, {"lesions": np.array(["a"])},
                                    {"features": np.zeros(2, dtype=np.float16)}])  # fmt: skip
def test_cases_that_do_not_fit_together_are_refused(change):
    fitting = Cases(np.zeros((2, 3), dtype=np.float16), np.array([0, 6]), np.array(["a", "b"]))

    with pytest.raises(ValueError, match=r"expected|labels"):
        replace(fitting, **change)


def _cases(generator: np.random.Generator, name: str) -> Cases:
    count = 50
    features = generator.gamma(0.5, 2.0, (count, WIDTH)).astype(np.float16)
    return Cases(features, generator.integers(0, 7, count), np.array([f"{name}-{n // 2}" for n in range(count)]))


def _head(generator: np.random.Generator) -> Head:
    weights = generator.normal(size=(WIDTH, 8)).astype(np.float32)
    weights[0] = 0.0
    return Head(
        hidden_weights=weights,
        hidden_bias=np.zeros(8, dtype=np.float32),
        output_weights=generator.normal(size=(8, 7)).astype(np.float32),
        output_bias=np.zeros(7, dtype=np.float32),
    )
