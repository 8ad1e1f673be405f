"""One line of a section of Today."""

from dataclasses import dataclass

from patients.models import Patient


@dataclass(frozen=True)
class Row:
    """Who, what, since when, what to do, and where.

    Attributes:
        since: since when it waits, or by when it is due.
        badge: how late or how pressing it is, in words; empty if it is neither.
        to_do: what the member does next, the text of the link to ``url``.
    """

    patient: Patient
    what: str
    detail: str
    since: str
    to_do: str
    url: str
    badge: str = ""
