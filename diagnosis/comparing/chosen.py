"""Which photographs of a lesion are compared."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from diagnosis.images.models import Image
from diagnosis.measures.scales import with_scales
from patients.models import Lesion, Member

FEWEST, MOST = 2, 4


@dataclass(frozen=True)
class Chosen:
    """The photographs that may be compared, the newest first, and those that are, the oldest first.

    Attributes:
        problem: what is wrong with the choice, for the reader to mend; empty if nothing is.
    """

    offered: list[Image]
    images: list[Image]
    problem: str = ""


def choose(*, lesion: Lesion, member: Member, keys: Sequence[str], of: str = "") -> Chosen:
    """Return the photographs with these keys.

    Without keys it is the photograph ``of`` and the one before it, or else the newest and the one before that.
    Excluded photographs are not offered: they may show another lesion.
    """
    offered = photographs_to_compare(lesion=lesion, member=member)
    by_key = {image.pk: image for image in offered}
    if not keys:
        own = next((image for image in offered if image.pk == _uuid(of)), None)
        return Chosen(offered, _in_time(_with_the_one_before(own, offered)))
    wanted = list(dict.fromkeys(key for key in map(_uuid, keys) if key is not None))
    images = _in_time([by_key[key] for key in wanted if key in by_key])
    problem = ""
    if len(images) < len(set(keys)):
        problem = _("A photograph of this choice is not among those of this lesion that are in use. Choose again.")
    elif len(images) > MOST:
        problem = _("Choose at most %(count)d photographs.") % {"count": MOST}
    elif len(images) < FEWEST:
        problem = _("Choose at least %(count)d photographs.") % {"count": FEWEST}
    return Chosen(offered, [] if problem else images, problem)


def photographs_to_compare(*, lesion: Lesion, member: Member) -> list[Image]:
    """Return the lesion's photographs in use, the newest first."""
    images = Image.objects.visible_to(member).in_use().filter(lesion=lesion)
    images = with_scales(images.select_related("visit__patient", "lesion").with_shown_prediction())
    return _in_time(images)[::-1]


def _with_the_one_before(image: Image | None, offered: list[Image]) -> list[Image]:
    """Return a photograph and the newest one of an earlier visit, or else its neighbour in time."""
    if len(offered) < FEWEST:
        return []
    image = image or offered[0]
    place = offered.index(image)
    older = offered[place + 1 :]
    neighbour = older[0] if older else offered[place - 1]
    return [image, next((each for each in older if each.visit_id != image.visit_id), neighbour)]


def _in_time(images: Iterable[Image]) -> list[Image]:
    return sorted(images, key=lambda image: (*image.order_in_time, image.pk))


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None
