"""Both hands, held up towards us with fingers up: their backs, and their palms."""

from patients.body_map.curves import Curve, Point
from patients.body_map.figure import Figure, both_sides, cell, details_of_both, joined
from patients.models.lesion import BodySite

# The left hand with its palm towards us: its thumb points to the middle. Distances from the hand's own axis.
_AXIS = 742
_HAND = (
    (-74, 985), (-78, 920), (-96, 850), (-132, 770), (-172, 680), (-206, 590), (-232, 510), (-228, 478), (-204, 470),
    (-184, 490), (-160, 560), (-130, 612), (-112, 600), (-112, 520), (-118, 420), (-126, 310), (-130, 220),
    (-118, 186), (-96, 186), (-82, 220), (-74, 320), (-64, 430), (-54, 462), (-46, 430), (-46, 310), (-44, 190),
    (-30, 138), (-6, 132), (12, 164), (16, 300), (18, 432), (26, 466), (36, 436), (46, 320), (56, 220),
    (72, 182), (94, 186), (104, 222), (98, 330), (88, 456), (94, 490), (106, 468), (124, 390), (140, 318),
    (156, 286), (178, 292), (184, 330), (172, 420), (156, 520), (150, 610), (142, 710), (120, 800), (92, 870),
    (80, 930), (78, 985),
)  # fmt: skip
_THUMB: tuple[Point, ...] = ((-260, 440), (-190, 440), (-150, 560), (-104, 606), (-150, 745), (-180, 760), (-260, 600))
_FINGERS: tuple[tuple[Point, ...], ...] = (
    ((-150, 160), (-80, 160), (-54, 462), (-112, 545), (-140, 540)),
    ((-80, 110), (20, 110), (26, 466), (-54, 462)),
    ((32, 150), (112, 160), (94, 490), (26, 466)),
    ((112, 260), (200, 260), (180, 545), (150, 545), (94, 490)),
)
# Centre and half widths of the nails, thumb first; the thumb's is turned.
_NAILS: tuple[tuple[Point, ...], ...] = (
    ((-226, 496), (-206, 486), (-188, 516), (-196, 540), (-214, 530)),
    ((-120, 212), (-106, 200), (-94, 212), (-94, 244), (-120, 244)),
    ((-34, 158), (-18, 146), (-3, 160), (-3, 196), (-34, 196)),
    ((67, 208), (82, 198), (95, 212), (93, 246), (66, 242)),
    ((150, 312), (166, 302), (176, 318), (172, 346), (148, 340)),
)


def _at(points: tuple[Point, ...], *, has_thumb_outside: bool) -> tuple[Point, ...]:
    turn = -1 if has_thumb_outside else 1
    return tuple((_AXIS + turn * x, y) for x, y in points)


def _hands(*, are_backs: bool) -> Figure:
    outline = Curve(_at(_HAND, has_thumb_outside=are_backs), corners=frozenset((0, len(_HAND) - 1)))
    fingers = [cell(*_at(points, has_thumb_outside=are_backs)) for points in (_THUMB, *_FINGERS)]
    palm = cell(
        *_at(
            ((-112, 545), (-54, 462), (26, 466), (94, 490), (150, 545), (200, 560), (200, 880), (-200, 880),
            (-180, 760),
             (-150, 745), (-112, 612)),
            has_thumb_outside=are_backs,
        )
    )  # fmt: skip
    wrist = cell(*_at(((-200, 880), (200, 880), (200, 1000), (-200, 1000)), has_thumb_outside=are_backs))
    nails = [Curve(_at(points, has_thumb_outside=are_backs)) for points in _NAILS]
    regions = [
        both_sides(BodySite.HAND if are_backs else BodySite.PALM, palm),
        both_sides(BodySite.FINGER, *fingers),
        both_sides(BodySite.WRIST, wrist),
    ]
    if are_backs:
        regions.append(both_sides(BodySite.NAIL, *nails, is_over=True))
    details = [*nails, *_knuckles()] if are_backs else _creases()
    return Figure(
        outlines=(outline, outline.mirrored()),
        regions=joined(regions),
        details=details_of_both(*details),
        left=10,
        right=990,
    )


def _knuckles() -> list[Curve]:
    lines: tuple[tuple[Point, ...], ...] = (
        ((-110, 330), (-98, 322), (-84, 328)), ((-40, 306), (-18, 298), (6, 304)),
        ((56, 336), (72, 328), (90, 336)), ((136, 408), (150, 402), (164, 410)),
        ((-96, 520), (-84, 510), (-70, 516)), ((-30, 506), (-14, 496), (4, 504)),
        ((44, 520), (58, 512), (74, 520)), ((110, 556), (124, 550), (138, 558)),
        ((-186, 602), (-172, 590), (-160, 596)), ((-60, 560), (-44, 680), (-26, 780)), ((8, 560), (8, 680), (4, 780)),
        ((66, 580), (54, 690), (36, 780)),
    )  # fmt: skip
    return [Curve(_at(points, has_thumb_outside=True), is_closed=False) for points in lines]


def _creases() -> list[Curve]:
    lines: tuple[tuple[Point, ...], ...] = (
        ((-110, 596), (-60, 640), (-44, 730), (-58, 850)),  # around the ball of the thumb
        ((-110, 590), (-20, 618), (60, 660), (120, 700)),
        ((148, 590), (80, 586), (20, 560), (-20, 520)),
        ((-118, 330), (-100, 334), (-82, 330)), ((-44, 306), (-16, 310), (14, 306)),
        ((48, 334), (72, 338), (96, 334)), ((126, 408), (150, 414), (170, 410)),
        ((-112, 516), (-92, 512), (-62, 470)), ((-50, 462), (-16, 452), (22, 462)), ((30, 464), (60, 468), (90, 486)),
        ((98, 492), (124, 512), (156, 520)), ((-190, 600), (-176, 590), (-158, 580)),
        ((-78, 910), (0, 922), (86, 908)), ((-76, 936), (0, 946), (82, 934)),
    )  # fmt: skip
    return [Curve(_at(points, has_thumb_outside=False), is_closed=False) for points in lines]


BACKS = _hands(are_backs=True)
PALMS = _hands(are_backs=False)
