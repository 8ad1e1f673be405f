"""Counts with their nouns, and shares of a hundred, for logs, cards and pages."""


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: ``1 lesion``, ``2,100 lesions``.

    Args:
        count: the number.
        one: the singular.
        many: the plural, unless it is ``one`` with an s.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def per_hundred(share: float) -> int:
    """Return a share in [0, 1] as a whole number of 100; 100 only if it is all of them, so that no miss is hidden."""
    return 100 if share >= 1 else min(round(share * 100), 99)
