"""Two things done at once, where one of them leaves a core free: the engine runs outside Python's lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

One = TypeVar("One")
Other = TypeVar("Other")


def side_by_side(one: Callable[[], One], other: Callable[[], Other]) -> tuple[One, Other]:
    """Return what both return; ``one`` is done in a thread of its own, which has ended when this returns.

    Raises:
        Exception: what either raises; of two, that of ``other``.
    """
    with ThreadPoolExecutor(max_workers=1) as thread:
        found = thread.submit(one)
        done = other()
    return found.result(), done
