"""The whole body from the left, with the arm swung forward to show the flank; the right side mirrors it."""

from patients.body_map.curves import Curve
from patients.body_map.figure import Figure, Region, cell
from patients.models.lesion import BodySite, Side

# The patient's left side: they face to our left.
_TRUNK = Curve.through(
    (508, 18), (482, 22), (461, 40), (453, 62), (452, 74), (448, 88), (439, 102), (447, 109), (446, 118), (448, 124),
    (447, 132), (452, 144), (466, 150), (480, 152), (484, 166), (480, 184), (466, 204), (452, 236), (444, 270),
    (446, 302), (450, 346), (447, 392), (446, 430), (452, 466), (458, 496), (452, 530), (446, 580), (450, 640),
    (456, 692), (453, 724), (455, 752), (462, 780), (464, 830), (470, 884), (472, 920), (464, 940), (440, 956),
    (412, 970), (402, 980), (412, 987), (450, 988), (500, 987), (526, 984), (535, 968), (528, 944), (523, 918),
    (527, 876), (541, 832), (545, 796), (534, 760), (530, 726), (540, 680), (552, 622), (560, 570), (576, 536),
    (585, 500), (578, 464), (560, 430), (550, 396), (553, 356), (564, 308), (570, 264), (564, 224), (546, 190),
    (532, 166), (534, 142), (550, 122), (562, 96), (563, 66), (550, 38), (532, 22),
)  # fmt: skip
_ARM = Curve.through(
    (514, 196), (536, 204), (547, 228), (544, 262), (530, 300), (515, 336), (503, 362), (488, 392), (466, 428),
    (444, 462), (432, 482), (424, 504), (420, 528), (411, 552), (400, 566), (389, 572), (384, 564), (390, 546),
    (382, 546), (374, 540), (376, 526), (388, 508), (400, 488), (408, 470), (422, 436), (438, 400), (450, 368),
    (460, 342), (470, 304), (478, 262), (484, 226), (496, 204),
)  # fmt: skip


def _region(site: BodySite, *shapes: Curve, is_over: bool = False) -> Region:
    return Region(site, Side.LEFT, shapes, is_over)


def _of_the_arm(site: BodySite, shape: Curve) -> Region:
    return Region(site, Side.LEFT, (shape,), is_over=True, outline=1)


_REGIONS = (
    _region(
        BodySite.SCALP, cell((430, 0), (600, 0), (600, 118), (528, 122), (514, 130), (514, 76), (478, 56), (430, 54))
    ),
    _region(BodySite.FACE, cell((420, 54), (478, 56), (516, 76), (516, 126), (490, 158), (420, 158))),
    _region(
        BodySite.EAR,
        Curve.through((504, 78), (516, 74), (524, 84), (520, 98), (510, 110), (502, 100)),
        is_over=True,
    ),
    _region(BodySite.NECK, cell((484, 152), (516, 126), (528, 120), (600, 118), (560, 186), (512, 190), (460, 188))),
    _region(
        BodySite.CHEST,
        cell((460, 186), (512, 186), (550, 242), (494, 300), (498, 332), (420, 336), (420, 200)),
    ),
    _region(
        BodySite.BACK,
        cell((512, 190), (560, 186), (620, 200), (620, 436), (546, 438), (536, 400), (540, 330), (548, 240)),
    ),
    _region(BodySite.ARMPIT, cell((500, 240), (548, 240), (543, 296), (494, 300))),
    _region(
        BodySite.FLANK,
        cell((494, 300), (543, 296), (540, 330), (536, 400), (546, 438), (500, 446), (486, 400), (498, 332)),
    ),
    _region(BodySite.ABDOMEN, cell((420, 336), (498, 332), (486, 400), (500, 446), (470, 480), (420, 480))),
    _region(BodySite.GROIN, cell((420, 480), (470, 480), (500, 446), (506, 470), (480, 530), (420, 520))),
    _region(
        BodySite.BUTTOCK, cell((500, 446), (546, 438), (620, 436), (620, 560), (540, 572), (506, 540), (506, 470))
    ),
    _region(
        BodySite.THIGH,
        cell((420, 520), (480, 530), (506, 470), (506, 540), (540, 572), (620, 560), (600, 706), (420, 706)),
    ),
    _region(BodySite.KNEE, cell((420, 706), (600, 706), (600, 776), (420, 776))),
    _region(BodySite.LOWER_LEG, cell((420, 776), (600, 776), (600, 908), (420, 908))),
    _region(BodySite.ANKLE, cell((420, 908), (600, 908), (600, 946), (470, 948), (450, 940))),
    _region(BodySite.FOOT, cell((380, 946), (450, 940), (470, 948), (600, 946), (600, 1000), (380, 1000))),
    # The arm lies over the trunk.
    _of_the_arm(
        BodySite.SHOULDER,
        Curve.through((514, 194), (538, 203), (549, 228), (546, 262), (512, 268), (476, 258), (482, 226), (494, 202)),
    ),
    _of_the_arm(
        BodySite.UPPER_ARM, cell((476, 258), (512, 268), (546, 262), (532, 302), (514, 340), (460, 342), (470, 304))
    ),
    _of_the_arm(BodySite.ELBOW, cell((460, 342), (514, 340), (496, 380), (446, 376))),
    _of_the_arm(BodySite.FOREARM, cell((446, 376), (496, 380), (466, 430), (436, 476), (404, 470), (422, 436))),
    _of_the_arm(BodySite.WRIST, cell((404, 470), (436, 476), (424, 506), (390, 504))),
    _of_the_arm(BodySite.HAND, cell((390, 504), (424, 506), (428, 540), (400, 585), (360, 580), (364, 520))),
)

_DETAILS = (
    Curve.through((504, 80), (516, 75), (523, 85), (519, 98), (510, 109), (503, 101)),  # ear
    Curve.through((508, 86), (515, 84), (516, 92), (511, 100), is_closed=False),
    Curve.through((461, 84), (466, 81), (472, 84), is_closed=False),  # eye
    Curve.through((447, 121), (456, 120), is_closed=False),  # mouth
    Curve.through((466, 150), (490, 144), (505, 128), is_closed=False),  # jaw
    Curve.through((446, 292), (458, 300), (466, 294), is_closed=False),  # breast
    Curve.through((530, 566), (552, 570), (560, 560), is_closed=False),  # fold under the buttock
    Curve.through((464, 730), (470, 744), (465, 760), is_closed=False),  # knee
    Curve.through((498, 928), (506, 932), (504, 940), is_closed=False),  # ankle
    Curve.through((414, 980), (420, 974), is_closed=False),  # toes
)

LEFT = Figure(outlines=(_TRUNK, _ARM), regions=_REGIONS, details=_DETAILS, left=270, right=730, is_upright=True)
RIGHT = LEFT.mirrored()
