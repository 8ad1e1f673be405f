"""The head from the front, from behind and from its left side; the right side mirrors the left."""

from dataclasses import replace

from patients.body_map.curves import Curve, symmetrical
from patients.body_map.figure import Figure, Region, both_sides, cell, details_of_both, from_middle, joined, line
from patients.models.lesion import BodySite, Side


def _oval(x: float, y: float, across: float, along: float) -> Curve:
    slant_x, slant_y = across * 0.72, along * 0.72
    return Curve.through(
        (x, y - along), (x + slant_x, y - slant_y), (x + across, y), (x + slant_x, y + slant_y),
        (x, y + along), (x - slant_x, y + slant_y), (x - across, y), (x - slant_x, y - slant_y),
    )  # fmt: skip


_SKULL = (
    (0, 50), (100, 60), (190, 102), (252, 180), (278, 280), (280, 370), (276, 410), (296, 396), (318, 412),
    (318, 470), (302, 536), (280, 566), (266, 560), (254, 620),
)  # fmt: skip
_FACE_OUTLINE = symmetrical(
    *_SKULL, (234, 690), (196, 752), (168, 784), (162, 820), (164, 866), (184, 906), (236, 938), (306, 962),
        (372, 1000),
    (392, 1060), (0, 1060), corners=(-1, -2, -3),
)  # fmt: skip

_FRONT_REGIONS = (
    both_sides(
        BodySite.SCALP,
        from_middle((0, 0), (340, 0), (340, 330), (276, 372), (262, 300), (216, 224), (130, 178), (0, 166)),
        has_middle=True,
    ),
    both_sides(
        BodySite.FACE,
        from_middle((0, 166), (130, 178), (216, 224), (262, 300), (276, 372), (274, 560), (254, 640), (196, 752),
            (130, 810), (60, 838), (0, 842)),
        has_middle=True,
    ),
    both_sides(BodySite.EAR, from_middle((276, 372), (400, 330), (400, 600), (274, 575))),
    both_sides(
        BodySite.NECK,
        from_middle((0, 842), (60, 838), (130, 810), (196, 752), (254, 640), (400, 700), (420, 1070), (0, 1070)),
        has_middle=True,
    ),
    both_sides(BodySite.EYELID, _oval(628, 420, 72, 44), is_over=True),
    both_sides(
        BodySite.NOSE,
        Curve.through((500, 404), (526, 420), (534, 490), (556, 560), (570, 596), (552, 626), (522, 636),
            (500, 644), corners=(0, 7)),
        is_over=True, has_middle=True,
    ),
    both_sides(
        BodySite.LIP,
        Curve.through((500, 690), (526, 680), (568, 696), (604, 718), (572, 748), (532, 766),
            (500, 770), corners=(0, 6)),
        is_over=True, has_middle=True,
    ),
    both_sides(
        BodySite.MUCOSA,
        Curve.through((500, 712), (540, 709), (584, 718), (542, 729), (500, 732), corners=(0, 2, 4)),
        is_over=True, has_middle=True,
    ),
)  # fmt: skip
_FRONT_DETAILS = (
    *details_of_both(
        line((0, 166), (130, 178), (216, 224), (258, 296), (274, 372)),  # hairline
        line((66, 366), (112, 346), (164, 350), (204, 374)),  # eyebrow
        line((74, 424), (104, 400), (142, 396), (180, 416), (186, 424)),  # eye
        line((74, 424), (106, 438), (146, 440), (186, 424)),
        line((84, 396), (128, 376), (174, 390)),  # lid fold
        line((34, 430), (36, 500), (56, 566), (68, 600), (50, 622), (26, 616)),  # nose
        line((292, 428), (306, 440), (302, 490), (288, 520)),  # ear
        line((132, 826), (118, 890), (56, 950)),  # neck
    ),
    line((-104, 718), (-50, 714), (0, 722), (50, 714), (104, 718)),  # mouth
    line((-104, 718), (-68, 696), (-26, 682), (0, 690), (26, 682), (68, 696), (104, 718)),
    line((-104, 718), (-70, 748), (-32, 766), (0, 770), (32, 766), (70, 748), (104, 718)),
    line((-22, 640), (0, 648), (22, 640)),
    line((-40, 804), (0, 796), (40, 804)),  # chin
)
_IRISES = details_of_both(_oval(628, 419, 20, 20))

FRONT = Figure(
    outlines=(_FACE_OUTLINE,),
    regions=joined(_FRONT_REGIONS),
    details=(*_FRONT_DETAILS, *_IRISES),
    left=100,
    right=900,
)

_BACK_REGIONS = (
    both_sides(
        BodySite.SCALP,
        from_middle((0, 0), (340, 0), (340, 372), (276, 372), (272, 575), (236, 690), (160, 730), (0, 742)),
        has_middle=True,
    ),
    both_sides(BodySite.EAR, from_middle((276, 372), (400, 330), (400, 600), (272, 575))),
    both_sides(
        BodySite.NECK,
        from_middle((0, 742), (160, 730), (236, 690), (272, 575), (400, 700), (420, 1070), (0, 1070)),
        has_middle=True,
    ),
)
_BACK_DETAILS = (
    *details_of_both(
        line((238, 676), (190, 722), (96, 742), (40, 726), (0, 748)),  # hairline
        line((292, 428), (304, 446), (298, 500), (284, 530)),
        line((96, 800), (92, 880), (128, 950)),
    ),
    line((0, 130), (34, 160), (38, 210), (6, 236), (-28, 214), (-30, 180), (-8, 168)),  # crown
)
BACK = Figure(
    outlines=(_FACE_OUTLINE,),
    # Seen from behind, the patient's left is at our left.
    regions=tuple(
        replace(region, side=Side.RIGHT if region.side is Side.LEFT else Side.LEFT) for region in joined(_BACK_REGIONS)
    ),
    details=_BACK_DETAILS,
    left=100,
    right=900,
)

# The patient's left side: they face to our left.
_PROFILE = Curve.through(
    (520, 50), (420, 58), (320, 100), (256, 176), (232, 262), (226, 330), (230, 366), (222, 400), (196, 456),
    (166, 516), (160, 538), (176, 554), (206, 562), (202, 590), (190, 620), (192, 644), (208, 658), (196, 684),
    (206, 706), (202, 736), (212, 776), (244, 806), (300, 812), (372, 806), (412, 822), (424, 872), (414, 930),
    (376, 1000), (340, 1060), (820, 1060), (764, 1000), (716, 940), (688, 872), (684, 790), (700, 716), (748, 640),
    (790, 540),
    (802, 420), (790, 300), (742, 184), (652, 92), corners=(28, 29),
)  # fmt: skip


def _left(site: BodySite, *shapes: Curve, is_over: bool = False) -> Region:
    return Region(site, Side.LEFT, shapes, is_over)


_LEFT_EAR = Curve.through(
    (532, 424), (556, 392), (596, 388), (620, 420), (618, 468), (596, 512), (580, 556), (552, 572), (536, 548),
    (536, 488)
)  # fmt: skip
_SIDE_REGIONS = (
    _left(
        BodySite.SCALP,
        cell((140, 0), (900, 0), (900, 640), (748, 640), (690, 690), (620, 606), (616, 420), (540, 566), (520, 400),
            (470, 380), (400, 300), (330, 220), (140, 180)),
    ),
    _left(
        BodySite.FACE,
        cell((140, 180), (330, 220), (400, 300), (470, 380), (520, 400), (540, 560), (520, 680), (430, 780),
            (372, 818), (140, 830)),
    ),
    _left(
        BodySite.NECK,
        cell((372, 818), (430, 780), (520, 680), (540, 560), (620, 420), (626, 600), (690, 690), (748, 640),
            (900, 640), (900, 1070), (140, 1070), (140, 830)),
    ),
    _left(BodySite.EAR, _LEFT_EAR, is_over=True),
    _left(BodySite.EYELID, _oval(292, 418, 58, 42), is_over=True),
    _left(
        BodySite.NOSE,
        Curve.through((240, 376), (214, 396), (150, 500), (140, 548), (180, 572), (238, 572), (262, 548),
            (250, 490), (248, 420)),
        is_over=True,
    ),
    _left(BodySite.LIP, Curve.through((170, 606), (236, 622), (276, 660), (236, 704), (170, 716)), is_over=True),
    _left(BodySite.MUCOSA, Curve.through((180, 652), (230, 652), (266, 660), (230, 668), (180, 668)), is_over=True),
)  # fmt: skip
_SIDE_DETAILS = (
    _LEFT_EAR,
    Curve.through((556, 436), (582, 420), (598, 440), (590, 484), (566, 516), is_closed=False),
    Curve.through((566, 470), (574, 458), (580, 476), is_closed=False),
    Curve.through((250, 420), (278, 398), (318, 402), (344, 422), (306, 432), (262, 432)),  # eye
    Curve.through((240, 362), (282, 342), (338, 352), (362, 366), is_closed=False),  # eyebrow
    Curve.through((206, 562), (232, 566), (254, 544), (246, 516), is_closed=False),  # nostril
    Curve.through((208, 658), (244, 656), (272, 664), is_closed=False),  # mouth
    Curve.through((238, 806), (380, 804), (470, 740), (524, 646), (540, 580), is_closed=False),  # jaw
    Curve.through((330, 110), (348, 210), (410, 300), (478, 376), (520, 400), (532, 470), is_closed=False),  # hairline
    Curve.through((612, 520), (640, 610), (700, 690), is_closed=False),
    Curve.through((560, 640), (520, 780), (440, 900), is_closed=False),  # muscle of the neck
)
LEFT = Figure(outlines=(_PROFILE,), regions=_SIDE_REGIONS, details=_SIDE_DETAILS, left=60, right=900)
RIGHT = LEFT.mirrored()
