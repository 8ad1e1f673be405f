"""Checks of free text: whether it contains words, and whether it is long enough to be a reason."""

# Database constraints require the same.
LEAST_LETTERS, LEAST_DIFFERENT = 10, 4


_NO_PLAN = frozenset(
    {"no", "none", "na", "nil", "nothing", "noplan", "notapplicable", "x", "xx", "xxx", "tbd", "tba", "tbc", "pending"}
    | {"later", "noplanyet", "noneyet", "notyet", "unknown", "tobedecided", "tobeconfirmed", "tofollow", "asabove"}
)


def has_words(text: str) -> bool:
    """Return whether the text says something: a dash, a full stop, an invisible letter or “none” is not a plan."""
    letters = "".join(char.casefold() for char in text if char.isalnum())
    return bool(letters) and letters not in _NO_PLAN


def is_a_sentence(text: str) -> bool:
    """Return whether the text may be a reason: enough letters for a few words, and not one letter repeated."""
    letters = [char.casefold() for char in text if char.isalpha()]
    return len(letters) >= LEAST_LETTERS and len(set(letters)) >= LEAST_DIFFERENT
