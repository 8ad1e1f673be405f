"""Fine-tuning an exit flow: TensorFlow's is the engine's, it learns what there is to learn, and nothing else."""

from importlib.util import find_spec

import numpy as np
import pytest

from mlmodel.analysis import get_analyser
from mlmodel.engine import session_of
from mlmodel.exit_flow import backbone_to_entry, exit_alone, exit_flow_of, unpack
from mlmodel.pictures import decode
from mlmodel.retraining import Cases, network_of
from mlmodel.stages import stage_slice

from .ham10000_like import SAMPLES

# Sought, not imported: TensorFlow takes seconds, and every collection of tests would wait for it.
pytestmark = [pytest.mark.slow, pytest.mark.skipif(find_spec("tensorflow") is None, reason="nothing here trains")]

COPIES = 16


@pytest.fixture(scope="module")
def backbone():
    return get_analyser().release.backbone


@pytest.fixture(scope="module")
def seen(backbone, tmp_path_factory):
    """Features and maps of the photographs that the repository ships."""
    engine = get_analyser().engine
    pixels = np.stack([engine.prepare(decode(path.read_bytes()).pixels) for path in sorted(SAMPLES.glob("*.jpg"))])
    path = tmp_path_factory.mktemp("exit") / "entry.onnx"
    path.write_bytes(backbone_to_entry(backbone))
    maps = session_of(path).run(None, {"pixels": pixels})[0].astype(np.float16)
    return engine.run(pixels).features.astype(np.float16), maps


def test_tensorflow_computes_what_the_engine_computes(backbone, seen, tmp_path):
    from mlmodel.training.exit_network import ExitNetwork

    network = ExitNetwork(exit_flow_of(backbone))
    path = tmp_path / "exit.onnx"
    path.write_bytes(exit_alone(backbone, network.file()))
    expected = session_of(path).run(None, {"block12": seen[1].astype(np.float32)})[0]

    # Features are kept in half precision, which moves values of up to 4 by up to 0.002.
    assert np.abs(network.features(seen[1]).astype(np.float32) - expected).max() < 4e-3
    assert network.file() == exit_flow_of(backbone), "what has learnt nothing is what it was, to the bit"


def test_it_learns_what_confirmed_cases_teach(seen):
    """Photographs that a head calls one thing and dermatologists another: the exit flow moves, and finds them."""
    from mlmodel.training.exit_network import ExitNetwork
    from mlmodel.training.exit_training import ExitRecipe, MappedCases, fine_tune_exit

    analyser = get_analyser()
    active = network_of(analyser.release.settings, analyser.head)
    taught = (active.logits(_cases(seen, np.zeros(len(seen[0]), dtype=np.int64))).argmax(axis=1) + 1) % 7
    told = []
    found = fine_tune_exit(
        active=active,
        exit_flow=exit_flow_of(analyser.release.backbone),
        replay=MappedCases(_cases(seen, taught), seen[1]),
        calibration=MappedCases(_cases(seen, taught), seen[1]),
        learned=_many(seen, taught),
        seed=3,
        progress=lambda share, stage: told.append((share, stage)),
        recipe=ExitRecipe(epochs=2, rate=2e-4, head_rate=1e-3, dropout=0.0),
    )

    assert found is not None
    content, head = found
    before, after = unpack(exit_flow_of(analyser.release.backbone)), unpack(content)
    assert not np.array_equal(before["block13_pointwise1_kernel"], after["block13_pointwise1_kernel"])
    read = MappedCases(_cases(seen, taught), seen[1]).through(ExitNetwork(content))
    said = head.logits(read.features.astype(np.float32)).argmax(axis=1)
    assert (said == taught).mean() > 0.5, "of photographs of which the head had none right"
    early = slice(0, stage_slice("block13").start)
    assert np.array_equal(read.features[:, early], seen[0][:, early])
    assert told[0][0] == 0.0
    assert [share for share, _stage in told] == sorted(share for share, _stage in told)


def test_too_few_lesions_teach_nothing(seen):
    from mlmodel.training.exit_training import MappedCases, fine_tune_exit

    analyser = get_analyser()
    few = MappedCases(_cases(seen, np.zeros(len(seen[0]), dtype=np.int64)), seen[1])

    assert (
        fine_tune_exit(
            active=network_of(analyser.release.settings, analyser.head),
            exit_flow=exit_flow_of(analyser.release.backbone),
            replay=few, calibration=few, learned=few, seed=1, progress=lambda share, stage: None,
        )
        is None
    )  # fmt: skip


def _cases(seen, labels, *, copies=1, prefix="base"):
    count = len(labels) * copies
    lesions = np.array([f"{prefix}-{number}" for number in range(count)])
    return Cases(np.tile(seen[0], (copies, 1)), np.tile(labels, copies), lesions)


def _many(seen, labels):
    from mlmodel.training.exit_training import MappedCases

    return MappedCases(_cases(seen, labels, copies=COPIES, prefix="clinic"), np.tile(seen[1], (COPIES, 1, 1, 1)))
