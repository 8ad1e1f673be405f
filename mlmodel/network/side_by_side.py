"""Two tasks in parallel, for the engine, which releases the GIL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

One = TypeVar("One")
Other = TypeVar("Other")


def side_by_side(one: Callable[[], One], other: Callable[[], Other]) -> tuple[One, Other]:
    """Return both results; ``one`` runs in a separate thread, which has ended when this returns.

    Raises:
        Exception: from either; if both fail, from ``other``.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        future = thread.submit(one)
        result = other()
    return future.result(), result
