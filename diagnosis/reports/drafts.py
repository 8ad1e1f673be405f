"""Drafts of reports and addenda, with a check that the signer has seen the current draft."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from diagnosis.reports.content import Content, build_content, canonical_json, content_sha256
from diagnosis.reviews.contradictions import contradictions_at
from patients.models import Visit


class VisitChanged(Refused):
    code = "visit_changed"

    def __init__(self) -> None:
        super().__init__(_("The visit was changed while you were reading it. Read it again, then sign."))


class ContradictedMeanwhile(VisitChanged):
    """The contradictions between labels have changed since the page was opened."""

    code = "contradictions_changed"

    def __init__(self, contradictions: Sequence[str]) -> None:
        message = _("Since you opened this page: %(contradictions)s Read the page again before you continue.")
        none = _("the labels no longer contradict each other.")
        Refused.__init__(self, message % {"contradictions": " ".join(contradictions) or none})


LENGTH_OF_A_HASH = 64


@dataclass(frozen=True)
class Draft:
    """The content of a report or addendum if it were signed now, with warnings for the signer.

    Attributes:
        contradictions: contradictions between labels, in words. They are not part of the content.
    """

    content: Content
    contradictions: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A hash of the draft, to detect whether anything has changed since it was shown."""
        return f"{content_sha256(canonical_json(self.content))}{_hash(self.contradictions)}"

    def ensure_seen(self, seen: str) -> None:
        """Raise ``VisitChanged`` unless ``seen`` is the fingerprint of this draft."""
        if seen == self.fingerprint:
            return
        # Checked first: a contradicting label of another visit changes the content too.
        contradictions_changed = seen[LENGTH_OF_A_HASH:] != _hash(self.contradictions)
        raise ContradictedMeanwhile(self.contradictions) if contradictions_changed else VisitChanged


def draft_report(*, visit: Visit) -> Draft:
    """Return the draft of the report of ``visit``, for a dermatologist to check."""
    return Draft(build_content(visit), contradictions_in_words(visit))


def contradictions_in_words(visit: Visit) -> tuple[str, ...]:
    return tuple(contradiction.words for contradiction in contradictions_at(visit))


def contradictions_seen(visit: Visit) -> str:
    """A fingerprint of the current contradictions; empty if there are none."""
    return _hash(contradictions_in_words(visit))


def ensure_contradictions_seen(visit: Visit, seen: str) -> None:
    """Raise ``ContradictedMeanwhile`` if the contradictions have changed since the fingerprint ``seen``."""
    now = contradictions_in_words(visit)
    if _hash(now) != seen:
        raise ContradictedMeanwhile(now)


def _hash(contradictions: Sequence[str]) -> str:
    return content_sha256(canonical_json({"contradictions": list(contradictions)})) if contradictions else ""
