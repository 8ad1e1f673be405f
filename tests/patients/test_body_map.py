"""The body map: every site has a place on the patient's own side, pins never cover each other, places are kept."""

from itertools import combinations
from math import hypot

import pytest
from django.db import IntegrityError, transaction

from patients.body_map.child import figure_of, kept_at, proportions_of, shown_at
from patients.body_map.curves import contains
from patients.body_map.drawing import Mark, draw
from patients.body_map.pins import Frame, spread
from patients.body_map.views import FIGURES, SHEETS, Place, region_of, site_at, usual_place
from patients.edits import ChangedMeanwhile
from patients.models import BodySite, LesionPlacement, MapView, Side
from patients.services import correct_lesion, pin_places, place_lesion
from patients.services.placements import BesideTheBody, OnTheOtherSide
from patients.services.same_clinic import AnotherClinic
from tests.factories import LesionFactory

SIDES = (Side.LEFT, Side.RIGHT)
FRAME = Frame(270, 0, 460, 1000)


@pytest.mark.parametrize("site", BodySite)
@pytest.mark.parametrize("side", SIDES)
def test_every_site_has_a_place_on_its_own_side(site, side):
    place = usual_place(site, side)

    assert site_at(place.view, place.x, place.y) == (site, side)


@pytest.mark.parametrize("site", BodySite)
@pytest.mark.parametrize("side", [Side.MIDLINE, Side.UNKNOWN])
def test_a_place_without_a_side_is_in_the_middle(site, side):
    place = usual_place(site, side)

    assert place.x == 500
    assert 0 <= place.y <= 1000


def test_left_and_right_are_the_patients():
    # Facing us, the patient has the left at our right; from behind, at our left.
    for view in (
        MapView.FRONT,
        MapView.HEAD_FRONT,
        MapView.HANDS_BACK,
        MapView.PALMS,
        MapView.FEET_TOP,
        MapView.SOLES,
    ):
        sides = {at[1] for x in range(530, 1000, 3) if (at := site_at(view, x, 560))}
        assert sides == {Side.LEFT}
    for view in (MapView.BACK, MapView.HEAD_BACK):
        sides = {at[1] for x in range(0, 470, 3) if (at := site_at(view, x, 300))}
        assert sides == {Side.LEFT}
    for view, side in ((MapView.LEFT, Side.LEFT), (MapView.HEAD_LEFT, Side.LEFT), (MapView.RIGHT, Side.RIGHT)):
        assert {region.side for region in FIGURES[view].regions} == {side}


@pytest.mark.parametrize("view", MapView)
@pytest.mark.parametrize("is_child", [False, True])
def test_no_part_of_a_drawing_is_without_a_site(view, is_child):
    figure = figure_of(view, is_child=is_child)
    blank = []
    for outline in figure.outline_polygons:
        xs, ys = [x for x, _y in outline], [y for _x, y in outline]
        for x in range(int(min(xs)) + 5, int(max(xs)), 17):
            for y in range(int(min(ys)) + 5, min(int(max(ys)), 1000), 17):
                if contains(outline, (x, y)) and figure.region_at((x, y)) is None:
                    blank.append((x, y))

    assert blank == []


@pytest.mark.parametrize("view", MapView)
def test_a_place_is_the_same_in_the_drawing_of_a_child(view):
    for region in FIGURES[view].regions:
        place = usual_place(region.site, region.side)
        if place.view is not view:
            continue
        shown = shown_at(view, (place.x, place.y), is_child=True)
        at = figure_of(view, is_child=True).region_at(shown)
        assert at is not None
        assert (at.site, at.side) == (region.site, region.side)
        x, y = kept_at(view, shown, is_child=True)
        assert (round(x), round(y)) == (place.x, place.y)


def test_a_childs_head_is_larger_and_its_legs_are_shorter():
    to_child = proportions_of(MapView.FRONT).to_child
    chin, crotch, sole = (to_child((500, y))[1] for y in (152, 530, 986))

    assert chin / sole > 1.2 * 152 / 986
    assert (sole - crotch) / sole < (986 - 530) / 986


def test_every_sheet_has_its_views_and_no_view_is_left_out():
    assert sorted(view for views in SHEETS.values() for view in views) == sorted(MapView)


@pytest.mark.parametrize("count", [2, 3, 7, 20])
def test_pins_at_one_place_are_drawn_apart(count):
    heads = spread([(450 + index * 0.01, 300) for index in range(count)], apart=60, frame=FRAME)

    assert len(set(heads)) == count
    assert min(hypot(a[0] - b[0], a[1] - b[1]) for a, b in combinations(heads, 2)) >= 59
    assert all(FRAME.holds(head) for head in heads)


def test_pins_with_room_stay_at_their_places():
    places = [(400.0, 300.0), (600.0, 300.0), (500.0, 800.0)]

    assert spread(places, apart=60, frame=FRAME) == places


def test_two_lesions_a_centimetre_apart_stay_two():
    # A patient of 170 cm is 968 units tall, so that a centimetre is less than 6 units.
    marks = [
        Mark(Place(MapView.BACK, 450, y), number, "urgent", f"Lesion {number}", "/", is_placed=True)
        for number, y in ((1, 300), (2, 306))
    ]
    for zoom in ("", "left-back"):
        one, two = draw(MapView.BACK, marks, is_child=False, zoom=zoom).pins

        assert (one.x, one.y) != (two.x, two.y)
        assert hypot(one.head_x - two.head_x, one.head_y - two.head_y) > 2 * one.scale
    assert hypot(one.head_x - two.head_x, one.head_y - two.head_y) < hypot(
        *(getattr(draw(MapView.BACK, marks, is_child=False).pins[0], f"head_{axis}")
          - getattr(draw(MapView.BACK, marks, is_child=False).pins[1], f"head_{axis}") for axis in "xy")
    )  # fmt: skip


def test_an_enlarged_region_shows_only_the_pins_around_it():
    marks = [
        Mark(usual_place(site, Side.LEFT), number, "calm", "", "/", is_placed=False)
        for number, site in enumerate((BodySite.CHEST, BodySite.ANKLE), 1)
    ]

    assert [pin.mark.number for pin in draw(MapView.FRONT, marks, is_child=False).pins] == [1, 2]
    assert [pin.mark.number for pin in draw(MapView.FRONT, marks, is_child=False, zoom="left-ankle").pins] == [2]
    assert draw(MapView.FRONT, marks, is_child=False, zoom="third-arm").zoomed is None
    with pytest.raises(LookupError):
        region_of(MapView.SOLES, BodySite.FACE, Side.LEFT)


# --- Kept places ---------------------------------------------------------------------------------------------


@pytest.fixture
def lesion(patient):
    return LesionFactory(patient=patient, body_site=BodySite.BACK, side=Side.LEFT)


def test_the_newest_place_counts_and_earlier_ones_are_kept(lesion, staff, dermatologist):
    assert pin_places([lesion])[lesion.pk].placement is None
    place_lesion(lesion=lesion, by=staff, view=MapView.BACK, x=440, y=300)
    place_lesion(lesion=lesion, by=dermatologist, view=MapView.BACK, x=450, y=310, after=1)

    shown = pin_places([lesion])[lesion.pk]
    assert shown.place == Place(MapView.BACK, 450, 310)
    rows = LesionPlacement.objects.filter(lesion=lesion).order_by("number")
    assert [(row.number, row.x, row.member) for row in rows] == [(1, 440, staff), (2, 450, dermatologist)]


def test_a_place_does_not_count_after_the_side_was_corrected(lesion, staff):
    place_lesion(lesion=lesion, by=staff, view=MapView.BACK, x=440, y=300)
    lesion = correct_lesion(lesion=lesion, by=staff, body_site=BodySite.BACK, side=Side.RIGHT)

    shown = pin_places([lesion])[lesion.pk]
    assert shown.is_outdated
    assert shown.place == usual_place(BodySite.BACK, Side.RIGHT)


def test_what_no_pin_may_be_set_to(lesion, staff, stranger):
    place = {"lesion": lesion, "view": MapView.BACK}
    with pytest.raises(OnTheOtherSide):
        place_lesion(**place, by=staff, x=560, y=300)
    with pytest.raises(BesideTheBody):
        place_lesion(**place, by=staff, x=5, y=5)
    with pytest.raises(AnotherClinic):
        place_lesion(**place, by=stranger, x=440, y=300)
    place_lesion(**place, by=staff, x=440, y=300)
    with pytest.raises(ChangedMeanwhile):
        place_lesion(**place, by=staff, x=445, y=300, after=0)

    assert lesion.placements.count() == 1


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"x": 1001}, "placement_is_on_the_drawing"),
        ({"y": 1001}, "placement_is_on_the_drawing"),
        ({"view": "above"}, "map_view_is_known"),
        ({"number": 0}, "placements_count_from_1"),
        ({"body_site": "tail"}, "placement_body_site_is_known"),
        ({"side": "both"}, "placement_side_is_known"),
    ],
)
def test_the_database_refuses(lesion, staff, values, rule):
    row = {"number": 1, "view": "back", "x": 440, "y": 300, "body_site": "back", "side": "left"}
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        LesionPlacement.objects.create(lesion=lesion, member=staff, **{**row, **values})


def test_a_place_is_never_overwritten(lesion, staff):
    row = place_lesion(lesion=lesion, by=staff, view=MapView.BACK, x=440, y=300)
    with pytest.raises(IntegrityError, match="lesion_placement_is_append_only"), transaction.atomic():
        LesionPlacement.objects.filter(pk=row.pk).update(x=441)
    with pytest.raises(IntegrityError), transaction.atomic():
        LesionPlacement.objects.create(
            lesion=lesion, member=staff, number=1, view="back", x=1, y=1, body_site="back", side="left"
        )
