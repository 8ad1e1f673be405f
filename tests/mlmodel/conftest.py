from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from tests.engine_memory import computed_answers

from .ham10000_like import SAMPLES


@pytest.fixture(autouse=True)
def _the_engine_itself() -> Iterator[None]:
    """These tests are about the engine: it computes each time it is asked."""
    with computed_answers():
        yield


@pytest.fixture
def photograph_pixels() -> np.ndarray:
    """A photograph of a lesion, uint8 (224, 224, 3)."""
    with Image.open(SAMPLES / "ISIC_0024310.jpg") as file:
        return np.asarray(file.convert("RGB").resize((224, 224)))
