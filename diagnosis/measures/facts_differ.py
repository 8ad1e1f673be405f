"""Which facts of photographs stand in the way of comparing them."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from diagnosis.images.facts import newest_facts
from diagnosis.images.models import Image, PhotographFacts
from diagnosis.measures.scales import scale_of

_READERS: dict[str, Callable[[PhotographFacts], Any]] = {
    "kind": lambda facts: facts.kind or None,
    "device": lambda facts: facts.device_id,
    "light": lambda facts: facts.is_polarised,
    "contact": lambda facts: facts.is_contact,
}


def facts_differ(images: Sequence[Image]) -> list[str]:
    """Return the names of the facts that differ between the photographs, or are not known for one of them.

    Empty for a single photograph: there is nothing that it could differ from. Use ``with_scales`` to read the
    photographs.
    """
    if len(images) < 2:
        return []
    rows = [newest_facts(image) for image in images]
    differing = [
        _name(fact)
        for fact, read in _READERS.items()
        if not _agree([read(facts) if facts else None for facts in rows])
    ]
    scales = [scale_of(image) for image in images]
    if not _agree([scale.width_mm if scale else None for scale in scales]):
        differing.append(_name("scale"))
    return differing


def _agree(values: Sequence[Any]) -> bool:
    return None not in values and len(set(values)) == 1


def _name(fact: str) -> str:
    return {
        "kind": _("kind of photograph"),
        "device": _("device"),
        "light": _("polarised light"),
        "contact": _("contact with the skin"),
        "scale": _("scale"),
    }[fact]
