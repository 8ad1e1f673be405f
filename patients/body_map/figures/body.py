"""The whole body from the front and from behind. Points are distances from the middle, at the right of the picture."""

from dataclasses import replace

from patients.body_map.curves import symmetrical
from patients.body_map.figure import Figure, both_sides, details_of_both, from_middle, joined, line
from patients.models.lesion import BodySite, Side

_HEAD = (
    (0, 18),
    (26, 21),
    (45, 36),
    (53, 60),
    (54, 74),
    (60, 76),
    (61, 90),
    (55, 104),
    (50, 108),
    (45, 124),
    (33, 142),
)
_NECK_AND_SHOULDER = (
    (29, 152), (29, 164), (34, 174), (52, 182), (80, 190), (106, 198), (126, 212), (138, 236), (143, 262),
)  # fmt: skip
_OUTER_ARM = ((146, 296), (150, 330), (156, 358), (165, 388), (172, 424), (178, 462), (184, 496), (189, 512))
_HAND = (
    (198, 534), (204, 558), (206, 584), (203, 606), (197, 624), (190, 630), (184, 624), (179, 606), (174, 588),
    (168, 592), (161, 588), (159, 570), (161, 548), (163, 528), (164, 510),
)  # fmt: skip
_INNER_ARM = (
    (162, 494),
    (152, 462),
    (142, 424),
    (133, 388),
    (126, 360),
    (120, 330),
    (113, 296),
    (106, 272),
    (102, 264),
)
_TRUNK = (
    (102, 282), (101, 316), (96, 352), (90, 384), (89, 410), (94, 438), (103, 466), (111, 496), (116, 528),
)  # fmt: skip
_OUTER_LEG = (
    (117, 566), (113, 612), (105, 656), (96, 698), (90, 724), (88, 748), (89, 774), (91, 806), (88, 842), (79, 882),
    (69, 914), (64, 932), (65, 944),
)  # fmt: skip
_FOOT = ((74, 958), (82, 970), (80, 981), (62, 986), (42, 985), (29, 979), (26, 966), (30, 950))
_INNER_LEG = (
    (33, 934), (33, 910), (28, 876), (22, 838), (20, 804), (22, 774), (24, 748), (22, 722), (19, 690), (14, 636),
    (8, 580), (4, 546), (0, 530),
)  # fmt: skip

_HALF = (
    *_HEAD, *_NECK_AND_SHOULDER, *_OUTER_ARM, *_HAND, *_INNER_ARM, *_TRUNK, *_OUTER_LEG, *_FOOT, *_INNER_LEG,
)  # fmt: skip
_ARMPIT = len(_HEAD) + len(_NECK_AND_SHOULDER) + len(_OUTER_ARM) + len(_HAND) + len(_INNER_ARM) - 1
_OUTLINE = symmetrical(*_HALF, corners=(_ARMPIT, len(_HALF) - 1))

# The same from both sides: arms and legs.
_LIMBS = (
    both_sides(BodySite.ELBOW, from_middle((112, 342), (190, 336), (196, 384), (122, 392))),
    both_sides(BodySite.FOREARM, from_middle((122, 392), (196, 384), (216, 486), (144, 494))),
    both_sides(BodySite.WRIST, from_middle((144, 494), (216, 486), (222, 512), (144, 520))),
    both_sides(BodySite.HAND, from_middle((144, 520), (222, 512), (226, 640), (144, 640))),
    both_sides(BodySite.KNEE, from_middle((0, 708), (130, 708), (130, 782), (0, 782))),
    both_sides(BodySite.LOWER_LEG, from_middle((0, 782), (130, 782), (130, 916), (0, 916))),
    both_sides(BodySite.ANKLE, from_middle((0, 916), (130, 916), (130, 950), (0, 946))),
    both_sides(BodySite.FOOT, from_middle((0, 946), (130, 950), (130, 1000), (0, 1000))),
)

_FRONT_REGIONS = (
    both_sides(BodySite.SCALP, from_middle((0, 0), (80, 0), (80, 66), (44, 58), (0, 46)), has_middle=True),
    both_sides(
        BodySite.FACE,
        from_middle((0, 42), (44, 50), (53, 62), (52, 108), (45, 128), (28, 146), (0, 154)),
        has_middle=True,
    ),
    both_sides(BodySite.EAR, from_middle((53, 62), (80, 62), (80, 108), (52, 108))),
    both_sides(
        BodySite.NECK,
        from_middle((0, 154), (28, 146), (45, 128), (52, 108), (80, 108), (70, 150), (44, 178), (30, 190), (0, 198)),
        has_middle=True,
    ),
    both_sides(
        BodySite.SHOULDER,
        from_middle(
            (30, 190), (44, 178), (70, 150), (170, 170), (176, 262), (146, 268), (122, 258), (104, 238), (92, 212)
        ),
    ),
    both_sides(
        BodySite.CHEST,
        from_middle(
            (0, 198), (30, 190), (92, 212), (104, 238), (96, 262), (97, 290), (106, 300), (103, 334), (0, 338)
        ),
        has_middle=True,
    ),
    both_sides(BodySite.ARMPIT, from_middle((104, 238), (122, 258), (120, 286), (112, 302), (97, 290), (96, 262))),
    both_sides(
        BodySite.UPPER_ARM,
        from_middle((122, 258), (146, 268), (176, 262), (190, 336), (112, 342), (108, 302), (120, 286)),
    ),
    both_sides(
        BodySite.ABDOMEN,
        from_middle((0, 330), (72, 328), (66, 362), (63, 400), (68, 436), (82, 456), (52, 484), (0, 492)),
        has_middle=True,
    ),
    both_sides(
        BodySite.FLANK, from_middle((72, 328), (108, 324), (106, 462), (82, 456), (68, 436), (63, 400), (66, 362))
    ),
    both_sides(
        BodySite.GROIN,
        from_middle((82, 456), (108, 462), (116, 476), (52, 528), (16, 552), (14, 530), (30, 506), (52, 484)),
    ),
    both_sides(
        BodySite.GENITAL, from_middle((0, 492), (52, 484), (30, 506), (14, 530), (16, 552), (0, 560)), has_middle=True
    ),
    both_sides(
        BodySite.THIGH, from_middle((116, 476), (150, 476), (140, 708), (0, 708), (0, 560), (16, 552), (52, 528))
    ),
)

_FRONT_DETAILS = (
    *details_of_both(
        line((8, 196), (34, 192), (64, 192), (98, 202)),  # collarbone
        line((102, 264), (96, 282), (78, 296), (48, 302), (18, 296)),  # breast
        line((74, 332), (54, 318), (28, 312)),  # lower ribs
        line((94, 452), (70, 472), (44, 498), (22, 526)),  # groin
        line((70, 726), (78, 744), (72, 762)),  # kneecap
        line((36, 730), (32, 746), (38, 762)),
        line((52, 796), (46, 840), (48, 880)),  # shin
        line((14, 77), (20, 74), (28, 77)),  # eye
        line((128, 372), (138, 376), (150, 372)),  # bend of the elbow
        line((187, 584), (189, 600), (188, 612)),  # fingers
        line((196, 580), (198, 596), (196, 610)),
        line((38, 974), (44, 966)),  # toes
        line((50, 979), (54, 970)),
        line((61, 980), (64, 972)),
    ),
    line((0, 78), (-4, 96), (0, 102), (5, 101)),  # nose
    line((-14, 118), (0, 121), (14, 118)),  # mouth
    line((0, 430), (-3, 436), (0, 441), (3, 436), (0, 430)),  # navel
    line((0, 206), (0, 290)),  # breastbone
)

_BACK_REGIONS = (
    both_sides(
        BodySite.SCALP,
        from_middle((0, 0), (80, 0), (80, 62), (53, 62), (52, 112), (28, 122), (0, 124)),
        has_middle=True,
    ),
    both_sides(BodySite.EAR, from_middle((53, 62), (80, 62), (80, 108), (52, 108))),
    both_sides(
        BodySite.NECK,
        from_middle((0, 124), (28, 122), (52, 112), (80, 108), (70, 150), (46, 180), (24, 186), (0, 188)),
        has_middle=True,
    ),
    both_sides(
        BodySite.SHOULDER,
        from_middle((46, 180), (70, 150), (170, 170), (176, 266), (146, 276), (116, 270), (104, 244), (88, 216)),
    ),
    both_sides(
        BodySite.BACK,
        from_middle(
            (0, 188),
            (24, 186),
            (46, 180),
            (88, 216),
            (110, 246),
            (110, 268),
            (110, 300),
            (72, 330),
            (64, 400),
            (70, 436),
            (0, 446),
        ),
        has_middle=True,
    ),
    both_sides(
        BodySite.UPPER_ARM, from_middle((104, 244), (122, 262), (146, 268), (176, 262), (190, 336), (112, 342))
    ),
    both_sides(BodySite.FLANK, from_middle((110, 300), (112, 450), (70, 436), (64, 400), (72, 330))),
    both_sides(
        BodySite.BUTTOCK, from_middle((0, 446), (70, 436), (112, 450), (150, 480), (132, 556), (60, 572), (0, 556))
    ),
    both_sides(BodySite.THIGH, from_middle((0, 556), (60, 572), (132, 556), (140, 708), (0, 708))),
)

_BACK_DETAILS = (
    *details_of_both(
        line((84, 236), (74, 262), (60, 292), (48, 296)),  # shoulder blade
        line((6, 550), (36, 566), (74, 558), (98, 536)),  # fold under the buttock
        line((34, 744), (56, 748), (76, 742)),  # hollow of the knee
        line((56, 800), (52, 838), (54, 872)),  # calf
        line((46, 904), (48, 932)),  # Achilles tendon
        line((132, 366), (146, 370), (158, 362)),  # elbow
        line((24, 432), (30, 440)),  # dimple
        line((187, 584), (189, 600), (188, 612)),
        line((196, 580), (198, 596), (196, 610)),
        line((36, 128), (22, 134), (0, 136)),  # hairline
    ),
    line((0, 160), (0, 250), (0, 340), (0, 430)),  # spine
    line((0, 458), (0, 500), (0, 548)),  # cleft
)

FRONT = Figure(
    outlines=(_OUTLINE,),
    regions=joined((*_FRONT_REGIONS, *_LIMBS)),
    details=_FRONT_DETAILS,
    left=270,
    right=730,
    is_upright=True,
)
# Seen from behind, the patient's left is at our left.
_SEEN_FROM_BEHIND = tuple(
    replace(region, side=Side.RIGHT if region.side is Side.LEFT else Side.LEFT)
    for region in joined((*_BACK_REGIONS, *_LIMBS))
)
BACK = Figure(
    outlines=(_OUTLINE,), regions=_SEEN_FROM_BEHIND, details=_BACK_DETAILS, left=270, right=730, is_upright=True
)
