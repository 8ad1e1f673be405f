"""What a dermatologist is about to sign, and whether it is still what they have seen."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from diagnosis.reports.content import Content, build_content, canonical_json, content_sha256
from diagnosis.reviews.contradictions import contradictions_at
from patients.models import Visit


class ChangedMeanwhile(Refused):
    code = "changed_meanwhile"

    def __init__(self) -> None:
        super().__init__(_("The visit was changed while you read it. Read it again, then sign."))


class ContradictedMeanwhile(ChangedMeanwhile):
    """Labels of a lesion contradict each other otherwise than they did."""

    def __init__(self, contradictions: Sequence[str]) -> None:
        words = _("Since you opened this page: %(contradictions)s Read it again before you go on.")
        none = _("the labels that contradicted each other no longer do.")
        Refused.__init__(self, words % {"contradictions": " ".join(contradictions) or none})


LENGTH_OF_A_HASH = 64


@dataclass(frozen=True)
class Draft:
    """What a report would say if it were signed now, and what its signer is warned of besides.

    Attributes:
        contradictions: of the labels of its lesions, in words. They are not in the report.
    """

    content: Content
    contradictions: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """It tells whether anything changed since it was shown."""
        return f"{content_sha256(canonical_json(self.content))}{_hashed(self.contradictions)}"

    def ensure_seen(self, seen: str) -> None:
        """Raise ``ChangedMeanwhile`` if what was ``seen`` is not this, and say what is new where that is known."""
        if seen == self.fingerprint:
            return
        # The label of another visit that brings a contradiction stands in the content too.
        are_others = seen[LENGTH_OF_A_HASH:] != _hashed(self.contradictions)
        raise ContradictedMeanwhile(self.contradictions) if are_others else ChangedMeanwhile


def draft_report(*, visit: Visit) -> Draft:
    """Gather what the report of ``visit`` would say, for a dermatologist to check."""
    return Draft(build_content(visit), contradictions_in_words(visit))


def contradictions_in_words(visit: Visit) -> tuple[str, ...]:
    return tuple(contradiction.words for contradiction in contradictions_at(visit))


def contradictions_seen(visit: Visit) -> str:
    """A word that tells whether other contradictions are warned of than were shown; empty where there are none."""
    return _hashed(contradictions_in_words(visit))


def ensure_contradictions_seen(visit: Visit, seen: str) -> None:
    """Raise ``ContradictedMeanwhile`` if others are warned of now than those that were ``seen``."""
    now = contradictions_in_words(visit)
    if _hashed(now) != seen:
        raise ContradictedMeanwhile(now)


def _hashed(contradictions: Sequence[str]) -> str:
    return content_sha256(canonical_json({"contradictions": list(contradictions)})) if contradictions else ""
