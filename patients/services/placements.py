"""Where a lesion's pin stands on the body map."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from dermascan.core.errors import Refused
from patients.body_map.drawing import region_name
from patients.body_map.views import Place, site_at, usual_place
from patients.edits import ChangedMeanwhile
from patients.models import BodySite, Lesion, LesionPlacement, MapView, Member, Side
from patients.services.same_clinic import ensure_same_clinic


class PlaceRefused(Refused):
    """The pin cannot stand there."""

    code = "place_refused"


class BesideTheBody(PlaceRefused):
    code = "place_beside_the_body"

    def __init__(self) -> None:
        super().__init__(_("This is beside the body. Choose a point on the drawing."))


class OnTheOtherSide(PlaceRefused):
    code = "place_on_the_other_side"

    def __init__(self, *, drawn: str, recorded: str) -> None:
        super().__init__(
            _(
                "The drawing shows the %(drawn)s there, and the record says %(recorded)s. Choose a point on the "
                "recorded side, or correct the lesion first."
            )
            % {"drawn": drawn, "recorded": recorded}
        )


@dataclass(frozen=True)
class PinPlace:
    """Where a lesion's pin is shown.

    Attributes:
        placement: the row that set it; None where it is only the middle of the body site.
        is_outdated: it was set, but the lesion's body site or side was corrected since.
    """

    place: Place
    placement: LesionPlacement | None = None
    is_outdated: bool = False


def ensure_place_fits(*, view: MapView, x: int, y: int, body_site: str, side: str) -> None:
    """Raise ``PlaceRefused`` for a point beside the body or on the other side of it than the record says.

    Another site than the recorded one is not refused: where a shoulder ends is a matter of opinion.
    """
    drawn = site_at(view, x, y)
    if drawn is None:
        raise BesideTheBody
    if {drawn[1], side} == {Side.LEFT, Side.RIGHT}:
        raise OnTheOtherSide(drawn=region_name(*drawn), recorded=region_name(BodySite(body_site), Side(side)))


def place_lesion(
    *, lesion: Lesion, by: Member, view: MapView, x: int, y: int, after: int | None = None
) -> LesionPlacement:
    """Set the lesion's pin. Earlier places are kept; the newest counts.

    Args:
        x, y: in the frame of the drawing of an adult.
        after: the number of the newest placement that the member saw, 0 for none; None if they saw no form.

    Raises:
        PlaceRefused: the point is beside the body, or on its other side.
        ChangedMeanwhile: a colleague has set another place since the form was rendered.
    """
    ensure_same_clinic(lesion.patient, by)
    with transaction.atomic():
        lesion = Lesion.objects.select_for_update(of=("self",)).get(pk=lesion.pk)
        ensure_place_fits(view=view, x=x, y=y, body_site=lesion.body_site, side=lesion.side)
        newest = newest_placement(lesion)
        if newest is not None and after not in (None, newest.number):
            raise ChangedMeanwhile(newest)
        return lesion.placements.create(
            number=newest.number + 1 if newest else 1,
            view=view,
            x=x,
            y=y,
            body_site=lesion.body_site,
            side=lesion.side,
            member=by,
        )


def newest_placement(lesion: Lesion) -> LesionPlacement | None:
    return lesion.placements.select_related("member__user").first()


def pin_places(lesions: Iterable[Lesion]) -> dict[UUID, PinPlace]:
    """Return where the pin of each lesion is shown, in one query."""
    rows = list(lesions)
    newest: dict[UUID, LesionPlacement] = {}
    for placement in LesionPlacement.objects.filter(lesion__in=[lesion.pk for lesion in rows]).order_by("number"):
        newest[placement.lesion_id] = placement
    return {lesion.pk: _pin_place(lesion, newest.get(lesion.pk)) for lesion in rows}


def _pin_place(lesion: Lesion, placement: LesionPlacement | None) -> PinPlace:
    usual = usual_place(BodySite(lesion.body_site), Side(lesion.side))
    if placement is None:
        return PinPlace(usual)
    if (placement.body_site, placement.side) != (lesion.body_site, lesion.side):
        return PinPlace(usual, is_outdated=True)
    return PinPlace(Place(MapView(placement.view), placement.x, placement.y), placement)
