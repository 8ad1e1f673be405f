"""An exit flow beside the backbone's own: what it changes, and what it must leave as it is."""

import io

import numpy as np
import pytest

from mlmodel.analysis import Analyser, get_analyser
from mlmodel.engine import Engine, session_of
from mlmodel.exit_flow import (
    EXIT_FEATURE_COUNT,
    ExitFlowError,
    as_read,
    backbone_to_entry,
    exit_alone,
    exit_flow_of,
    pack,
    unpack,
)
from mlmodel.pictures import decode
from mlmodel.release import SHIPPED, release_from
from mlmodel.stages import FEATURE_COUNT, stage_slice
from tests.candidates import louder_exit_flow

from .ham10000_like import SAMPLES

pytestmark = pytest.mark.slow

BACKBONE = SHIPPED / "backbone.onnx"


@pytest.fixture(scope="module")
def own():
    return exit_flow_of(BACKBONE)


@pytest.fixture(scope="module")
def louder():
    return louder_exit_flow()


@pytest.fixture(scope="module")
def pixels():
    engine = get_analyser().engine
    return np.stack([engine.prepare(decode(path.read_bytes()).pixels) for path in sorted(SAMPLES.glob("*.jpg"))[:3]])


def test_the_backbones_own_exit_flow_beside_it_says_the_same_to_the_bit(own, pixels):
    alone, beside = get_analyser().engine, Engine(BACKBONE, exit_flow=own)
    expected, found = alone.run(pixels, maps=True), beside.run(pixels, maps=True)

    assert np.array_equal(found.features, expected.features)
    assert found.exit_features is not None
    assert found.exit_features.shape == (3, EXIT_FEATURE_COUNT)
    assert np.array_equal(as_read(found.features, found.exit_features), expected.features)
    assert all(np.array_equal(found.maps[stage], expected.maps[stage]) for stage in expected.maps)


def test_another_exit_flow_changes_its_own_features_and_no_others(louder, pixels):
    expected = get_analyser().engine.run(pixels, maps=True)
    found = Engine(BACKBONE, exit_flow=louder).run(pixels, maps=True)

    assert found.exit_features is not None
    assert np.array_equal(found.features, expected.features)
    last = found.exit_features[:, 1024:]
    assert (last > expected.features[:, stage_slice("block14")]).mean() > 0.5
    assert np.array_equal(found.exit_features[:, :1024], expected.features[:, stage_slice("block13")])
    assert not np.array_equal(found.maps["block14"], expected.maps["block14"])


def test_the_network_in_two_pieces_says_what_it_says_in_one(louder, pixels, tmp_path):
    """Training keeps the map between the two, in half precision; the features are kept in half precision as well."""
    entry, rest = tmp_path / "entry.onnx", tmp_path / "rest.onnx"
    entry.write_bytes(backbone_to_entry(BACKBONE))
    rest.write_bytes(exit_alone(BACKBONE, louder))
    maps = session_of(entry).run(None, {"pixels": pixels})[0].astype(np.float16)
    found = session_of(rest).run(None, {"block12": maps.astype(np.float32)})[0]

    expected = Engine(BACKBONE, exit_flow=louder).run(pixels).exit_features
    # Rounded to half precision, values of up to 4 move by up to 0.002.
    assert np.abs(found - expected).max() < 2e-3
    assert entry.stat().st_size < BACKBONE.stat().st_size
    assert rest.stat().st_size < 15_000_000


def test_a_network_over_its_own_exit_flow_answers_with_it(louder, photograph):
    shipped = get_analyser()
    release = _release(exit_flow=louder)
    analyser = Analyser(release)
    picture = decode(photograph)
    found, expected = analyser.analyse(picture, force=True), shipped.analyse(picture, force=True)

    assert np.array_equal(found.features, expected.features)
    assert found.quality == expected.quality, "the judges of a photograph's kind read what they were made for"
    assert found.exit_features is not None
    assert expected.exit_features is None
    assert found.assessment is not None
    assert expected.assessment is not None
    assert found.assessment.probabilities != expected.assessment.probabilities
    again = analyser.assess(
        found.features, {}, is_smartphone=bool(found.quality.measures["smartphone"]), exit_features=found.exit_features
    )
    assert again.probabilities == found.assessment.probabilities
    assert release.sha256 != shipped.sha256
    assert release.version != shipped.version


def test_a_head_is_never_read_over_another_exit_flow(own, louder, photograph):
    shipped = get_analyser()
    with pytest.raises(ValueError, match="and no other"):
        Analyser(_release(exit_flow=own), engine=lambda: shipped.engine).analyse(decode(photograph))
    features, exit_features = np.zeros(FEATURE_COUNT, np.float16), np.zeros(EXIT_FEATURE_COUNT, np.float16)
    with pytest.raises(ValueError, match="no others"):
        shipped.assess(features, {}, exit_features=exit_features)
    with pytest.raises(ValueError, match="no others"):
        Analyser(_release(exit_flow=louder)).assess(features, {})


def test_the_same_weights_are_the_same_file(own):
    assert pack(unpack(own)) == own == exit_flow_of(BACKBONE)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY"])
def test_what_is_no_exit_flow_is_refused(content):
    with pytest.raises(ExitFlowError):
        unpack(content)


@pytest.mark.parametrize("spoil", ["missing", "unknown", "shape", "infinite", "whole numbers"])
def test_a_spoilt_exit_flow_is_refused(own, spoil):
    weights = unpack(own)
    bias = weights["block13_pointwise2_bias"]
    weights |= {
        "unknown": {"more": bias},
        "shape": {"block13_pointwise2_bias": bias[:-1]},
        "infinite": {"block13_pointwise2_bias": np.full_like(bias, np.inf)},
        "whole numbers": {"block13_pointwise2_bias": bias.astype(np.int64)},
        "missing": {},
    }[spoil]
    if spoil == "missing":
        del weights["block13_pointwise2_bias"]
    buffer = io.BytesIO()
    np.savez(buffer, **weights)  # type: ignore[arg-type]
    with pytest.raises(ExitFlowError):
        Engine(BACKBONE, exit_flow=buffer.getvalue())


def _release(*, exit_flow):
    shipped = get_analyser().release
    return release_from(
        backbone=shipped.backbone,
        backbone_sha256=shipped.backbone_sha256,
        head=shipped.head_file,
        settings=shipped.settings,
        card=shipped.card,
        reference=shipped.reference,
        exit_flow=exit_flow,
    )
