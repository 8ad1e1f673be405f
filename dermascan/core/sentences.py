"""What a dermatologist may have forgotten before signing. Only danger without a plan forbids it."""

# The database asks for as much (migration 0027, and 0028 of what is urgent).
LEAST_LETTERS, LEAST_DIFFERENT = 10, 4


_NO_PLAN = frozenset(
    {"no", "none", "na", "nil", "nothing", "noplan", "notapplicable", "x", "xx", "xxx", "tbd", "tba", "tbc", "pending"}
    | {"later", "noplanyet", "noneyet", "notyet", "unknown", "tobedecided", "tobeconfirmed", "tofollow", "asabove"}
)


def has_words(text: str) -> bool:
    """Whether somebody wrote something: a dash, a full stop, an invisible letter or “none” is no plan."""
    written = "".join(char.casefold() for char in text if char.isalnum())
    return bool(written) and written not in _NO_PLAN


def is_a_sentence(text: str) -> bool:
    """Whether somebody gave a reason: letters enough for a few words, and not one of them over and over."""
    letters = [char.casefold() for char in text if char.isalpha()]
    return len(letters) >= LEAST_LETTERS and len(set(letters)) >= LEAST_DIFFERENT
