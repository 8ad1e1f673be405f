"""A released backbone as weights to train on from: it says what the file says, and learns on from there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from mlmodel.network.engine import Engine
from mlmodel.network.stages import stage_slice
from mlmodel.pictures.picture import decode
from mlmodel.releases.release import load_release
from tests.conftest import PHOTOGRAPHS
from tests.mlmodel.ham10000_like import write_folds

# Keras triggers this NumPy deprecation itself when it saves weights.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")]
CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


@pytest.fixture(scope="module")
def keras() -> Any:
    pytest.importorskip("tensorflow", reason="training's libraries are not installed")
    import keras

    return keras


@pytest.fixture(scope="module")
def shown() -> Any:
    """Six photographs as the backbone's input, and the features it returns."""
    engine = Engine(load_release().backbone)
    pixels = [engine.prepare(decode(path.read_bytes()).pixels) for path in sorted(PHOTOGRAPHS.glob("*.jpg"))[:6]]
    return np.stack(pixels), engine.run(np.stack(pixels)).features


def features_of(base: Any, pixels: np.ndarray) -> np.ndarray:
    from mlmodel.training.backbone import xception_stages

    maps = xception_stages(base)(pixels.astype(np.float32) / 127.5 - 1, training=False)
    return np.concatenate([np.asarray(values).mean(axis=(1, 2)) for values in maps], axis=1)


@pytest.fixture(scope="module")
def written(keras, tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("unfolded")
    data = write_folds(folder / "data", classes=CLASSES, copies=2)
    output = folder / "made" / "base.weights.h5"
    call_command("unfold_backbone", str(output), "--data", str(data), "--photographs", "6")
    return output, data


def test_it_says_what_the_file_says_and_is_read_as_any_weights_of_the_base(written, shown):
    from mlmodel.training.backbone import xception

    pixels, said = shown
    base = xception(written[0])
    # Weights lie in the file in half precision and are computed with in single precision on both sides.
    assert np.abs(features_of(base, pixels) - said).max() < 1e-3
    # Normalised by photographs, so that it can learn on: scales are deviations and not all alike.
    scale = base.get_layer("block5_sepconv1_bn").get_weights()[0]
    assert scale.std() > 0.01


def test_a_dead_last_block_begins_anew_and_nothing_before_it_changes(keras, written, shown, tmp_path):
    from mlmodel.training.backbone import xception
    from mlmodel.training.unfolded import unfolded

    pixels, said = shown
    keras.utils.set_random_seed(1)
    fresh = tmp_path / "fresh.weights.h5"
    keras.applications.Xception(weights=None, include_top=False, input_shape=(None, None, 3)).save_weights(fresh)
    base = unfolded(load_release().backbone, pixels, fresh=fresh)
    last = stage_slice("block14")
    found = features_of(base, pixels)
    assert np.abs(found[:, : last.start] - said[:, : last.start]).max() < 1e-3
    own, other = (each.get_layer("block14_sepconv1").get_weights()[1] for each in (base, xception(fresh)))
    assert (own == other).all()
    assert np.abs(found[:, last] - said[:, last]).max() > 0.01


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["base.h5"], "must end in"),
        (["base.weights.h5", "--photographs", "0"], "1 or more"),
        (["base.weights.h5", "--fresh", "nowhere.h5"], "file nowhere.h5 does not exist"),
        (["base.weights.h5", "--release", "nowhere"], "cannot be loaded"),
    ],
)
def test_what_cannot_be_done_is_said(written, tmp_path, arguments, words):
    name, *others = arguments
    with pytest.raises(CommandError, match=words):
        call_command("unfold_backbone", str(tmp_path / name), "--data", str(written[1]), *others)
    assert not list(tmp_path.iterdir())


def test_another_file_is_no_backbone(keras, tmp_path, shown):
    from mlmodel.releases.release_files import SHIPPED
    from mlmodel.segmentation.segmenter import SEGMENTER
    from mlmodel.training.run_folder import RunError
    from mlmodel.training.unfolded import unfolded

    with pytest.raises(RunError, match="not an exported backbone"):
        unfolded(SHIPPED / SEGMENTER, shown[0])
