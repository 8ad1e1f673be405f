"""Numbers of things, in words for logs and cards."""


def counted(count: int, one: str, many: str = "") -> str:
    """Return ``1 lesion``, ``2,100 lesions``.

    Args:
        count: how many.
        one: what one is called.
        many: what several are called, where it is not ``one`` with an s.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
