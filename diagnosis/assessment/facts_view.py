"""How a photograph was taken, in words, for its own page and for the pages that list it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from diagnosis.assessment.facts_forms import CONTACT, POLARISED, FactsForm
from diagnosis.assessment.photograph_kind import kind_in_words
from diagnosis.assessment.presentation import Fact
from diagnosis.images.facts import belonging_to, is_overview_of, newest_facts
from diagnosis.images.kinds import PhotographKind
from diagnosis.images.models import Image, PhotographFacts
from diagnosis.measures.scales import Scale, scale_of
from patients.models import Member

EARLIER_SHOWN = 20


@dataclass(frozen=True)
class Statement:
    """One statement about a photograph, as its history shows it."""

    words: str
    by: str
    at: Any


@dataclass(frozen=True)
class FactsView:
    """The content of ``templates/assessment/includes/photograph_facts.html``.

    Attributes:
        rows: every fact, also those that are not known.
        history: earlier statements, the newest first; empty while there is only one.
        overview: the overview that the photograph belongs to.
        below: the photographs that belong to it, if it is an overview.
    """

    image: Image
    rows: tuple[Fact, ...]
    history: tuple[Statement, ...]
    overview: Image | None
    below: tuple[Image, ...]


def photograph_facts(image: Image, member: Member) -> dict[str, Any]:
    """Return the context of the photograph's page about how it was taken."""
    newest = newest_facts(image)
    statements = list(image.facts.select_related("device", "member__user")[: EARLIER_SHOWN + 1])
    history = tuple(Statement(_in_one_line(row), row.member.name, row.created_at) for row in statements[1:])
    return {
        "how_taken": FactsView(
            image=image,
            rows=_rows(newest, scale_of(image)),
            history=history,
            overview=_overview(newest, image),
            below=tuple(belonging_to(image)) if image.kind == PhotographKind.OVERVIEW else (),
        ),
        "facts_form": FactsForm(None, image=image, member=member, newest=newest),
    }


@dataclass(frozen=True)
class Together:
    """An overview and the photographs that belong to it."""

    overview: Image
    below: list[Image]


def overviews_among(images: Iterable[Image]) -> list[Together]:
    """Return the overviews among ``images`` that other photographs belong to, with these."""
    pairs = [Together(each, belonging_to(each)) for each in images if each.kind == PhotographKind.OVERVIEW]
    return [pair for pair in pairs if pair.below]


def _overview(newest: PhotographFacts | None, image: Image) -> Image | None:
    """Return the overview while it is in use and still one of this photograph."""
    overview = newest.overview if newest else None
    if overview is None or not is_overview_of(overview, image) or overview.exclusions.standing().exists():
        return None
    return overview


def _rows(facts: PhotographFacts | None, scale: Scale | None) -> tuple[Fact, ...]:
    unknown = _("Not known")
    if facts is None:
        facts = PhotographFacts()
    return (
        Fact(_("Kind"), kind_in_words(facts.kind) or _("Not stated")),
        Fact(_("Taken with"), str(facts.device) if facts.device else unknown),
        Fact(_("Light"), _choice(POLARISED, facts.is_polarised)),
        Fact(_("Contact with the skin"), _choice(CONTACT, facts.is_contact)),
        Fact(_("Taken at"), _time(facts) or unknown),
        Fact(_("Scale"), _scale(scale, facts)),
    )


def _time(facts: PhotographFacts) -> str:
    if facts.taken_at is None:
        return ""
    moment = date_format(timezone.localtime(facts.taken_at), "j M Y, H:i")
    return f"{moment} ({facts.get_taken_at_source_display()})"


def _scale(scale: Scale | None, facts: PhotographFacts) -> str:
    if scale is not None:
        words = _("%(width)s mm wide, as stated for this photograph")
        if scale.device:
            words = _("%(width)s mm wide, by the device’s calibration")
        return words % {"width": f"{scale.width_mm:g}"}
    return _("Not known: cropped or zoomed") if facts.is_cropped else _("Not known")


def _choice(choices: Any, value: bool | None) -> str:
    return str(dict(choices)["" if value is None else value])


def _in_one_line(facts: PhotographFacts) -> str:
    """Return what one statement said, without what it left open."""
    said = [
        kind_in_words(facts.kind),
        str(facts.device) if facts.device else "",
        "" if facts.is_polarised is None else _choice(POLARISED, facts.is_polarised),
        "" if facts.is_contact is None else _choice(CONTACT, facts.is_contact),
        _time(facts),
        _("cropped or zoomed") if facts.is_cropped else "",
    ]
    return "; ".join(each for each in said if each) or _("Nothing stated")
