"""The measures on shapes whose answers are known, and on real photographs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlmodel.pictures.picture import Picture, decode
from mlmodel.segmentation import abcd, outlines
from mlmodel.segmentation.abcd import asymmetry, border
from mlmodel.segmentation.dermoscopic_colours import (
    COLOURS,
    Colour,
    adapted,
    colour_shares,
    lab_of,
    linear_of,
    median_light,
    present,
)
from mlmodel.segmentation.outlines import outlines_of

SIDE = 128
EVEN = np.zeros((224, 224, 3), dtype=np.float32)


def field_of(inside, side=SIDE):
    """A probability field: how far each pixel lies within a shape given as a signed distance from the centre."""
    axis = (np.arange(side) + 0.5) / side - 0.5
    x, y = np.meshgrid(axis, axis)
    return np.clip(inside(x, y) * side / 2 + 0.5, 0, 1).astype(np.float32)


def outline_of(inside, side=SIDE):
    return outlines_of(field_of(inside, side), level=0.5)[0]


def circle(radius=0.3):
    return lambda x, y: radius - np.hypot(x, y)


def ellipse(ratio=2.0, angle=0.0, long=0.36):
    def inside(x, y):
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        return (long - np.hypot(u, v * ratio)) / ratio

    return inside


def half_disc(angle=0.0, radius=0.36):
    def inside(x, y):
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        return np.minimum(radius - np.hypot(u, v + 0.15), v + 0.15)

    return inside


def star(points=5, depth=0.09, angle=0.0):
    return lambda x, y: 0.25 + depth * np.cos(points * (np.arctan2(y, x) - angle)) - np.hypot(x, y)


def test_a_circle_is_regular_in_every_respect():
    found = outline_of(circle(0.3))

    assert outlines.signed_area(found) == pytest.approx(np.pi * 0.09, rel=0.002)
    assert outlines.perimeter(found) == pytest.approx(2 * np.pi * 0.3, rel=0.003)
    assert outlines.longest_diameter(found) == pytest.approx(0.6, rel=0.003)
    assert outlines.centroid(found) == pytest.approx([0.5, 0.5], abs=1e-4)
    assert border(found).compactness == pytest.approx(1.0, abs=0.005)
    assert border(found).solidity == pytest.approx(1.0, abs=0.002)
    assert asymmetry(found, EVEN).shape < 0.01


@pytest.mark.parametrize("ratio", [1.5, 2.0, 3.0])
def test_an_ellipse_is_symmetric_without_indentations_and_as_compact_as_ramanujan_says(ratio):
    found = outline_of(ellipse(ratio, angle=0.4), side=256)
    a, b = 0.36, 0.36 / ratio
    length = np.pi * (3 * (a + b) - np.sqrt((3 * a + b) * (a + 3 * b)))

    assert border(found).compactness == pytest.approx(length**2 / (4 * np.pi * np.pi * a * b), rel=0.01)
    assert border(found).solidity == pytest.approx(1.0, abs=0.003)
    assert asymmetry(found, EVEN).shape < 0.015
    assert outlines.longest_diameter(found) == pytest.approx(0.72, rel=0.005)


def test_half_a_disc_has_one_axis_of_symmetry():
    found = asymmetry(outline_of(half_disc(0.5)), EVEN)

    # Mirrored about the line through its centre of mass that is parallel to its flat side, the part beyond is known:
    # counted here on a fine grid.
    axis = np.linspace(-1, 1, 2001)
    x, y = np.meshgrid(axis, axis[axis >= 0])
    inside = np.hypot(x, y) <= 1
    mirrored = 2 * 4 / (3 * np.pi) - y
    beyond = inside & ~((mirrored >= 0) & (np.hypot(x, mirrored) <= 1))
    assert found.axes[0] < 0.02
    assert found.axes[1] == pytest.approx(beyond.sum() / inside.sum(), abs=0.02)
    assert border(outline_of(half_disc(0.5))).compactness == pytest.approx((np.pi + 2) ** 2 / (2 * np.pi**2), rel=0.03)


def test_a_star_is_ragged_and_a_deeper_one_more_so():
    shallow, deep = (border(outline_of(star(depth=depth))) for depth in (0.03, 0.09))

    assert 1.02 < shallow.compactness < deep.compactness
    assert 0.98 > shallow.solidity > deep.solidity


def test_five_points_have_one_axis_and_four_points_have_both():
    assert asymmetry(outline_of(star(points=4)), EVEN).shape < 0.02
    five = asymmetry(outline_of(star(points=5)), EVEN)
    assert five.axes[0] < 0.03
    assert five.axes[1] > 0.15


@settings(max_examples=25, deadline=None)
@given(
    angle=st.floats(0, 2 * np.pi),
    points=st.integers(3, 7),
    depth=st.floats(0.02, 0.08),
    shift=st.floats(-0.08, 0.08),
    mirrored=st.booleans(),
)
def test_turning_moving_and_mirroring_change_nothing(angle, points, depth, shift, mirrored):
    """Shape measures are of the lesion, not of how the camera was held: within 0.03 of a share, 3 % of compactness."""
    shape = star(points, depth)
    lopsided = lambda x, y: np.maximum(shape(x, y), 0.15 - np.hypot(x - 0.16, y - 0.05))  # noqa: E731

    def changed(x, y):
        x = x - shift
        u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        return lopsided(-u if mirrored else u, v)

    plain, other = outline_of(lopsided), outline_of(changed)

    assert asymmetry(other, EVEN).shape == pytest.approx(asymmetry(plain, EVEN).shape, abs=0.03)
    assert border(other).compactness == pytest.approx(border(plain).compactness, rel=0.03)
    assert border(other).solidity == pytest.approx(border(plain).solidity, abs=0.01)
    assert outlines.longest_diameter(other) == pytest.approx(outlines.longest_diameter(plain), rel=0.01)


@settings(max_examples=15, deadline=None)
@given(scale=st.floats(0.5, 1.3))
def test_nearness_changes_the_diameter_alone(scale):
    shape = star(3, 0.06)
    plain, other = outline_of(shape), outline_of(lambda x, y: scale * shape(x / scale, y / scale))

    assert asymmetry(other, EVEN).shape == pytest.approx(asymmetry(plain, EVEN).shape, abs=0.03)
    assert border(other).compactness == pytest.approx(border(plain).compactness, rel=0.03)
    assert outlines.longest_diameter(other) == pytest.approx(scale * outlines.longest_diameter(plain), rel=0.02)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_any_field_gives_closed_outlines_within_the_frame(seed):
    """Blobs of noise: outlines never leave the square, never enclose less than nothing, and hold their own pixels."""
    generator = np.random.default_rng(seed)
    field = generator.random((12, 12)).astype(np.float32)
    parts = outlines_of(field, level=0.6)

    for part in parts:
        assert len(part) >= 3
        assert part.min() >= 0
        assert part.max() <= 1
        assert outlines.signed_area(part) > 0
        assert border(part).compactness >= 1
        assert 0 < border(part).solidity <= 1
    assert all(0 <= asymmetry(part, EVEN).shape <= 1 for part in parts[:1])
    assert [outlines.signed_area(p) for p in parts] == sorted((outlines.signed_area(p) for p in parts), reverse=True)


def test_holes_are_filled_and_islands_are_apart():
    ring = outlines_of(field_of(lambda x, y: 0.1 - np.abs(np.hypot(x, y) - 0.25)), level=0.5)
    two = outlines_of(
        field_of(lambda x, y: np.maximum(0.1 - np.hypot(x - 0.25, y), 0.15 - np.hypot(x + 0.2, y))), level=0.5
    )

    assert len(ring) == 1
    assert outlines.signed_area(ring[0]) == pytest.approx(np.pi * 0.35**2, rel=0.01)
    assert [round(outlines.signed_area(part), 3) for part in two] == [
        pytest.approx(np.pi * 0.15**2, abs=0.002),
        pytest.approx(np.pi * 0.1**2, abs=0.002),
    ]


def test_regions_that_touch_only_at_a_corner_are_apart():
    """Even where the mean of the four pixels is above the level, which other tracers take for a bridge."""
    field = np.zeros((6, 6), dtype=np.float32)
    field[1:3, 1:3] = field[3:5, 3:5] = 1.0
    field[2, 3] = field[3, 2] = 0.4

    first, second = outlines_of(field, level=0.5)

    assert outlines.signed_area(first) == pytest.approx(outlines.signed_area(second))
    assert first.min() > 0.4 or second.min() > 0.4
    assert min(first.max(), second.max()) < 0.6


def test_the_long_outline_is_found_among_thousands_of_specks():
    """What texture of skin looks like to the search for hairs: short outlines are left out, the long one is whole."""
    field = np.zeros((120, 120), dtype=np.float32)
    field[::3, ::3] = 1.0
    field[60, 5:115] = 1.0
    specks = 40 * 40 - len(range(6, 115, 3))

    parts, long_ones = outlines_of(field, level=0.5), outlines_of(field, level=0.5, at_least=100)

    assert len(parts) == specks + 1
    (line,) = long_ones
    assert np.array_equal(line, parts[0])
    assert outlines.perimeter(line) * 120 == pytest.approx(2 * 110, rel=0.02)
    assert outlines.signed_area(line) * 120**2 == pytest.approx(110 * 1.0, rel=0.05)
    steps = np.abs(np.roll(line, -1, axis=0) - line) * 120
    assert steps.max() < 1.01, "each point follows the one beside it"


def test_what_reaches_the_frame_is_closed_along_it():
    half = outlines_of(field_of(lambda x, y: 0.3 - np.hypot(x - 0.5, y)), level=0.5)[0]

    assert outlines.signed_area(half) == pytest.approx(np.pi * 0.09 / 2, rel=0.02)
    assert outlines.share_on_frame(half, margin=1 / SIDE) == pytest.approx(0.6 / (0.6 + 0.3 * np.pi), rel=0.05)
    assert outlines_of(np.ones((16, 16), dtype=np.float32), level=0.5)[0].shape[1] == 2
    assert outlines_of(np.zeros((16, 16), dtype=np.float32), level=0.5) == []


# Colours


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((119, 119, 119), (50.03, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_cielab_is_that_of_the_standard(rgb, lab):
    assert lab_of(np.array(rgb, dtype=np.uint8)) == pytest.approx(lab, abs=0.05)


SKIN = np.array([226, 178, 158], dtype=np.uint8)


@pytest.mark.parametrize(
    ("rgb", "colour"),
    [
        ((200, 40, 45), Colour.RED),
        ((168, 120, 92), Colour.LIGHT_BROWN),
        ((96, 58, 36), Colour.DARK_BROWN),
        ((110, 122, 140), Colour.BLUE_GREY),
        ((25, 22, 22), Colour.BLACK),
        ((246, 243, 244), Colour.WHITE),
    ],
)
def test_plain_patches_have_their_names(rgb, colour):
    shares = colour_shares(lab_of(np.array([rgb] * 10, dtype=np.uint8)), skin=lab_of(SKIN))

    assert shares == {each: float(each is colour) for each in COLOURS}
    assert present(shares) == (colour,)


def test_skin_is_no_colour_and_white_must_be_lighter_than_skin():
    white = lab_of(np.array([[246, 243, 244]], dtype=np.uint8))

    assert sum(colour_shares(lab_of(SKIN)[None], skin=lab_of(SKIN)).values()) == 0
    assert colour_shares(white, skin=lab_of(np.array([253, 250, 250], dtype=np.uint8)))[Colour.WHITE] == 0
    assert colour_shares(white, skin=None)[Colour.WHITE] == 0, "without skin in the picture there is no comparison"


@settings(max_examples=30, deadline=None)
@given(gains=st.tuples(*[st.floats(0.8, 1.0)] * 3))
def test_the_lights_tint_does_not_change_the_names(gains):
    """A photograph under another light: skin and lesion change together, and after adaptation the names stay."""
    lesion = np.array([[168, 120, 92]] * 50 + [[96, 58, 36]] * 50, dtype=np.uint8)

    def shares(gain):
        skin = linear_of(SKIN) * gain
        return colour_shares(
            lab_of_linear_of(adapted(linear_of(lesion) * gain, skin)), skin=lab_of_linear_of(adapted(skin, skin))
        )

    plain, tinted = shares(np.ones(3, dtype=np.float32)), shares(np.array(gains, dtype=np.float32))

    assert present(tinted) == present(plain) == (Colour.LIGHT_BROWN, Colour.DARK_BROWN)


def lab_of_linear_of(linear):
    from mlmodel.segmentation.dermoscopic_colours import lab_of_linear

    return lab_of_linear(linear.astype(np.float32))


def measure(pixels, outline, *, is_cut):
    square = Picture(pixels=np.ascontiguousarray(pixels), format="", media_type="").square
    return abcd.measure(square, outline, is_cut=is_cut)


def painted(lesion_rgb, *, hair=False, side=300):
    """Skin with a round lesion of two halves, and hairs if wanted."""
    pixels = np.full((side, side, 3), SKIN, dtype=np.uint8)
    y, x = np.mgrid[:side, :side] / side - 0.5
    within = np.hypot(x, y) < 0.3
    pixels[within & (x < 0)] = lesion_rgb[0]
    pixels[within & (x >= 0)] = lesion_rgb[1]
    if hair:
        for offset in (-60, 0, 50):
            rows = np.arange(side)
            columns = np.clip((rows * 0.6 + 60 + offset).astype(int), 0, side - 4)
            for width in range(3):
                pixels[rows, columns + width] = (20, 16, 14)
    return pixels


def test_two_halves_of_different_colour_are_asymmetric_in_colour_only():
    light, dark = (168, 120, 92), (96, 58, 36)
    even = measure(painted((light, light)), outline_of(circle()), is_cut=False)
    halves = measure(painted((light, dark)), outline_of(circle()), is_cut=False)

    assert halves.asymmetry is not None
    assert even.asymmetry is not None
    assert halves.asymmetry.shape < 0.01
    assert even.asymmetry.colour < 2
    assert halves.asymmetry.colour > 5
    assert set(present(halves.colours)) == {Colour.LIGHT_BROWN, Colour.DARK_BROWN}
    assert halves.colours[Colour.DARK_BROWN] == pytest.approx(0.5, abs=0.03)


def test_hairs_are_not_taken_for_black():
    light = (168, 120, 92)
    found = measure(painted((light, light), hair=True), outline_of(circle()), is_cut=False)

    assert found.hair > 0.02
    assert present(found.colours) == (Colour.LIGHT_BROWN,)


def test_a_cut_lesion_has_colours_and_no_shape():
    found = measure(painted(((96, 58, 36), (96, 58, 36))), outline_of(circle()), is_cut=True)

    assert found.asymmetry is None
    assert found.border is None
    assert found.colours[Colour.DARK_BROWN] > 0.9
    assert found.diameter == pytest.approx(0.6, rel=0.01)


def test_an_outline_that_encloses_nothing_is_an_error():
    with pytest.raises(ValueError, match="encloses no area"):
        measure(painted(((0, 0, 0), (0, 0, 0))), outline_of(circle())[::-1], is_cut=False)


def test_quarter_turns_of_a_photograph_change_nothing(photograph):
    pixels = decode(photograph).pixels
    square = np.ascontiguousarray(pixels[:, 75:525])
    found = []
    for turns in range(4):
        turned = np.rot90(square, turns)
        outline = outline_of(turned_star(turns))
        found.append(measure(turned, outline, is_cut=False))

    for other in found[1:]:
        assert other.asymmetry is not None
        assert found[0].asymmetry is not None
        assert other.asymmetry.shape == pytest.approx(found[0].asymmetry.shape, abs=0.02)
        assert other.asymmetry.colour == pytest.approx(found[0].asymmetry.colour, abs=1.0)
        for colour in COLOURS:
            assert other.colours[colour] == pytest.approx(found[0].colours[colour], abs=0.02)


def turned_star(turns):
    """A lopsided shape, turned with the picture: np.rot90 turns against the clock."""
    return star(3, 0.07, angle=0.3 - turns * np.pi / 2)


@pytest.mark.parametrize("count", [1, 2, 401, 1000])
def test_the_median_light_is_that_of_the_pixels(count):
    pixels = np.random.default_rng(count).integers(0, 256, (count, 3), dtype=np.uint8)
    assert np.array_equal(median_light(pixels), np.median(linear_of(pixels), axis=0))
