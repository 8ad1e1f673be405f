"""Counts with singular and plural nouns, for logs and cards."""


def counted(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: ``1 lesion``, ``2,100 lesions``.

    Args:
        count: the number.
        one: the singular.
        many: the plural, unless it is ``one`` with an s.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
