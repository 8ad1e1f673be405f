from collections.abc import Iterator

import pytest

from tests.engine_memory import computed_answers


@pytest.fixture(autouse=True)
def _the_engine_itself() -> Iterator[None]:
    """These tests are about the engine: it computes each time it is asked."""
    with computed_answers():
        yield
