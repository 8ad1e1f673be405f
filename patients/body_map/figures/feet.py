"""Both feet: their soles with the toes up, and from above with the toes towards us."""

from patients.body_map.curves import Curve, Point
from patients.body_map.figure import Figure, both_sides, cell, details_of_both, joined
from patients.models.lesion import BodySite

# The left foot, toes up: its big toe points to the middle. Distances from the foot's own axis.
_AXIS = 730
_TOES_AND_SIDES = (
    (-86, 860), (-80, 760), (-66, 660), (-72, 560), (-104, 460), (-132, 370), (-140, 300), (-140, 220), (-132, 140),
    (-104, 98), (-70, 98), (-46, 134), (-40, 190), (-40, 236), (-32, 190), (-22, 150), (0, 132), (22, 150), (28, 200),
    (26, 250), (34, 214), (44, 182), (64, 170), (84, 188), (88, 232), (82, 276), (90, 246), (102, 220), (120, 214),
    (136, 234), (138, 274), (130, 310), (140, 290), (152, 278), (170, 290), (176, 330), (172, 380), (170, 460),
    (158, 560), (144, 660), (126, 770), (106, 870),
)  # fmt: skip
_HEEL = ((70, 940), (10, 962), (-50, 936))
_ANKLE = ((92, 940), (90, 985), (-78, 985), (-80, 930))
_TOES: tuple[tuple[Point, ...], ...] = (
    ((-170, 60), (-40, 60), (-40, 236), (-60, 300), (-170, 320)),
    ((-40, 100), (28, 100), (26, 250), (-20, 290), (-60, 300), (-40, 236)),
    ((28, 140), (90, 140), (82, 276), (30, 310), (-20, 290), (26, 250)),
    ((86, 150), (140, 190), (130, 310), (84, 344), (30, 310), (82, 276)),
    ((132, 200), (210, 200), (200, 390), (140, 384), (84, 344), (130, 310)),
)
_NAILS: tuple[tuple[Point, ...], ...] = (
    ((-112, 130), (-88, 118), (-64, 132), (-64, 176), (-88, 186), (-114, 174)),
    ((-14, 158), (0, 150), (14, 160), (12, 184), (-14, 182)),
    ((52, 198), (64, 190), (77, 200), (75, 222), (52, 220)),
    ((109, 240), (120, 233), (130, 244), (127, 264), (108, 260)),
    ((152, 306), (161, 298), (170, 308), (166, 326), (151, 322)),
)
_REST: tuple[Point, ...] = (
    (-170, 320), (-60, 300), (-20, 290), (30, 310), (84, 344), (140, 384), (200, 390), (220, 880), (-220, 880),
)  # fmt: skip


def _at(points: tuple[Point, ...], *, are_toes_down: bool) -> tuple[Point, ...]:
    return tuple((_AXIS + x, 1040 - y if are_toes_down else y) for x, y in points)


def _feet(*, are_soles: bool) -> Figure:
    down = not are_soles
    points = (*_TOES_AND_SIDES, *(_HEEL if are_soles else _ANKLE))
    corners = () if are_soles else (len(points) - 3, len(points) - 2)
    outline = Curve(_at(points, are_toes_down=down), corners=frozenset(corners))
    toes = [cell(*_at(toe, are_toes_down=down)) for toe in _TOES]
    nails = [Curve(_at(nail, are_toes_down=down)) for nail in _NAILS]
    end: tuple[Point, ...] = ((220, 880), (-220, 880), (-220, 1000), (220, 1000))
    heel = cell(*_at(end, are_toes_down=down))
    rest = cell(*_at(_REST, are_toes_down=down))
    whole = cell(*_at((*_REST[:-2], (220, 1000), (-220, 1000)), are_toes_down=down))
    regions = [both_sides(BodySite.TOE, *toes)]
    if are_soles:
        regions.append(both_sides(BodySite.SOLE, whole))
    else:
        regions += [
            both_sides(BodySite.FOOT, rest),
            both_sides(BodySite.ANKLE, heel),
            both_sides(BodySite.NAIL, *nails, is_over=True),
        ]
    lines = _SOLE_LINES if are_soles else _TOP_LINES
    details = [Curve(_at(points, are_toes_down=down), is_closed=False) for points in lines]
    return Figure(
        outlines=(outline, outline.mirrored()),
        regions=joined(regions),
        details=details_of_both(*details, *(() if are_soles else nails)),
        left=60,
        right=940,
    )


_SOLE_LINES: tuple[tuple[Point, ...], ...] = (
    ((-132, 262), (-90, 250), (-46, 240)), ((-34, 240), (0, 238), (24, 250)), ((30, 254), (56, 262), (80, 276)),
    ((86, 282), (108, 296), (128, 312)), ((134, 316), (150, 340), (172, 352)), ((-62, 440), (20, 400), (130, 460)),
    ((-36, 660), (-20, 560), (-40, 480)), ((-66, 800), (10, 770), (104, 810)),
)  # fmt: skip
_TOP_LINES: tuple[tuple[Point, ...], ...] = (
    ((-112, 220), (-88, 212), (-64, 220)), ((-14, 212), (0, 206), (16, 212)), ((50, 246), (64, 242), (76, 248)),
    ((-66, 330), (-40, 480), (-16, 620)), ((0, 330), (14, 480), (16, 620)), ((60, 360), (60, 500), (44, 620)),
    ((-78, 880), (-66, 856), (-72, 830)), ((98, 884), (88, 858), (96, 830)),
)  # fmt: skip

SOLES = _feet(are_soles=True)
TOPS = _feet(are_soles=False)
