"""Work for the workers, handed over once what it is about is committed."""

import logging
from collections.abc import Callable
from typing import Any

from django.db import transaction
from kombu.exceptions import ChannelError, KombuError

logger = logging.getLogger(__name__)


def hand_over(task: Any, *args: str, if_lost: Callable[[], object] | None = None) -> None:
    """Send ``task`` to the workers when the current transaction commits, or at once outside of one.

    A queue that is out of reach is logged and not raised: what was committed stands, and the page must say so.

    Args:
        if_lost: called where the queue did not take it.
    """

    def send() -> None:
        try:
            task.apply_async(args=args, retry=False)
        except (KombuError, ChannelError, OSError) as error:
            # Without its words: the broker's address may hold a password.
            logger.error("%s could not be handed to the workers: %s", task.name, type(error).__name__)
            if if_lost is not None:
                if_lost()

    transaction.on_commit(send)
