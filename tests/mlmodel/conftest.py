from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tests.engine_memory import computed_answers
from tests.mlmodel.ham10000_like import SAMPLES


@pytest.fixture(autouse=True)
def _the_engine_itself() -> Iterator[None]:
    """Disable caching of the engine's results, which these tests examine."""
    with computed_answers():
        yield


@pytest.fixture
def photograph_pixels() -> np.ndarray:
    """A photograph of a lesion, uint8 (224, 224, 3)."""
    with Image.open(SAMPLES / "ISIC_0024310.jpg") as file:
        return np.asarray(file.convert("RGB").resize((224, 224)))


@pytest.fixture
def step_by_step() -> Iterator[None]:
    """Run TensorFlow functions eagerly, which is faster for the few steps of a test."""
    tensorflow = pytest.importorskip("tensorflow")
    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)
