"""Analysis of a decoded photograph: an assessment, or a refusal with its reason."""

import threading
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mlmodel.network.calibration import Calibration, by_code, in_order
from mlmodel.network.drift import DriftReference, read_reference
from mlmodel.network.engine import Engine
from mlmodel.network.head import Floats, Head
from mlmodel.network.heat_map import grad_cam
from mlmodel.network.in_domain import PhotographClassifier
from mlmodel.network.quality import SMARTPHONE_MEASURE, Quality, Verdict, judge
from mlmodel.network.side_by_side import side_by_side
from mlmodel.network.tiers import OperatingPoints, Tier, explained_code, most_probable_code
from mlmodel.pictures.picture import Picture
from mlmodel.releases.release import Release, load_release
from mlmodel.segmentation.measuring import Measured, measure_picture
from mlmodel.segmentation.segmenter import Segmentation, get_segmenter
from mlmodel.taxonomy import CODES, MALIGNANT_CODES

# In ``Quality.measures``: the distance of the photograph from the drift reference, if the release has one.
OUTLIER_MEASURE = "outlier"


@dataclass(frozen=True)
class Assessment:
    """The network's assessment of one photograph.

    Attributes:
        probabilities: calibrated, by code, in the order of ``taxonomy.CODES``; sums to 1.
        equal_prior_scores: the same logits with the training class mix divided out; sums to 1.
        prediction_set: codes that include the true class 9 times in 10, for each class, most probable first.
        malignant_probability: the calibrated probability of mel, bcc and akiec together, in [0, 1].
        draw_heat_maps: returns ``heat_maps``.
    """

    probabilities: dict[str, float]
    equal_prior_scores: dict[str, float]
    prediction_set: tuple[str, ...]
    malignant_probability: float
    tier: Tier
    draw_heat_maps: Callable[[], dict[str, Floats]] = field(repr=False, compare=False)

    @cached_property
    def heat_maps(self) -> dict[str, Floats]:
        """Heat maps by code, float32 (38, 38) in [0, 1], over the centre square; made when they are first asked for.

        Of the explained class, the most probable one, and others that were requested.
        """
        return self.draw_heat_maps()

    @cached_property
    def code(self) -> str:
        """The most probable class."""
        return most_probable_code(self.probabilities)

    @cached_property
    def explained_code(self) -> str:
        """The class that explains the tier; see ``tiers.explained_code``."""
        return explained_code(self.probabilities, tier=self.tier)

    @property
    def heat_map(self) -> Floats:
        """The heat map of the explained class."""
        return self.heat_maps[self.explained_code]

    @property
    def confidence(self) -> float:
        """The calibrated probability of the most probable class."""
        return self.probabilities[self.code]


@dataclass(frozen=True)
class Analysis:
    """The analysis of one photograph: quality, features, and the assessment unless it was refused.

    Attributes:
        features: float16 (5640,), stored so that later heads can score them.
        segmentation: the lesion's outline; None if the photograph was not segmented.
        measured: the lesion's measures, if requested and if the photograph was assessed.
    """

    quality: Quality
    assessment: Assessment | None
    features: npt.NDArray[np.float16]
    segmentation: Segmentation | None = None
    measured: Measured | None = None


class Analyser:
    """A released network, ready for analyses. Safe to share between threads."""

    def __init__(self, release: Release, *, engine: Engine | None = None) -> None:
        """Load a release.

        Args:
            release: verified.
            engine: an engine with this release's backbone, which versions share; by default, a new one is loaded.
        """
        self.release = release
        self.engine = engine or Engine(release.backbone)
        self.head = Head.load(release.head)
        settings = release.settings
        self.calibration = Calibration(
            temperature=settings["temperature"],
            class_mix=in_order(settings["class_mix"]),
            set_thresholds=in_order(settings["set_thresholds"]),
        )
        self.smartphone = PhotographClassifier.load(
            release.head, "smartphone", threshold=settings["smartphone_threshold"]
        )
        # Smartphone photographs are answered with less confidence: a higher temperature and larger sets.
        self.smartphone_calibration = replace(
            self.calibration,
            temperature=settings["smartphone"]["temperature"],
            set_thresholds=in_order(settings["smartphone"]["set_thresholds"]),
        )
        self.released_points = OperatingPoints.from_settings(settings["operating_points"])
        self.operating_points = self.released_points
        self.in_domain = PhotographClassifier.load(
            release.head, "in_domain", threshold=settings["in_domain_threshold"]
        )
        self.reference = _reference_of(release)

    def at(self, points: OperatingPoints, own_mix: Floats | None = None) -> "Analyser":
        """Return the same network with other thresholds, and with probabilities for a clinic's own class mix.

        The thresholds always apply to the probabilities as released, so that the sensitivity for melanoma does not
        depend on the clinic's mix.
        """
        moved = copy(self)
        moved.operating_points = points
        moved.calibration = replace(self.calibration, own_mix=own_mix)
        moved.smartphone_calibration = replace(self.smartphone_calibration, own_mix=own_mix)
        return moved

    @property
    def outlier_threshold(self) -> float | None:
        """The outlier score from which a photograph differs from the reference; None without a reference."""
        return self.reference.outlier_threshold if self.reference else None

    @property
    def version(self) -> str:
        return self.release.version

    @property
    def sha256(self) -> str:
        return self.release.sha256

    @property
    def backbone_sha256(self) -> str:
        return self.release.backbone_sha256

    @property
    def head_sha256(self) -> str:
        return self.release.head_sha256

    @property
    def card(self) -> str:
        """The model card, Markdown."""
        return self.release.card

    def analyse(
        self, picture: Picture, *, force: bool = False, maps_of: Iterable[str] = (), measures: bool = False
    ) -> Analysis:
        """Return the analysis of one photograph, with an assessment unless the photograph is refused.

        Args:
            picture: the result of ``picture.decode``.
            force: assess it even if it is refused; for a dermatologist's override, which is recorded elsewhere.
            maps_of: codes of classes for additional heat maps.
            measures: also measure the lesion, while the engine runs.
        """
        engine = self.engine
        # On one core, outline, quality and measures take a third as long as the engine.
        (quality, outlined, measured), output = side_by_side(
            lambda: _examined(picture, force=force, measures=measures),
            lambda: engine.run(engine.prepare_picture(picture)[None], maps=True),
        )
        # Features are stored in half precision; rounding here gives the same answer as the stored features will.
        features = output.features[0].astype(np.float16)
        exact = features.astype(np.float32)
        in_domain = self.in_domain.probability(exact)
        is_smartphone = self.smartphone.accepts(exact)
        verdict, segmentation = self._verdict(quality.verdict, outlined, in_domain)
        quality = Quality(
            verdict=verdict,
            measures={
                **quality.measures,
                "in_domain": round(in_domain, 4),
                SMARTPHONE_MEASURE: float(is_smartphone),
                **({OUTLIER_MEASURE: round(self.reference.outlier_score(exact), 4)} if self.reference else {}),
            },
        )
        assessment = None
        if verdict is Verdict.ACCEPTED or force:
            maps = {stage: values[0] for stage, values in output.maps.items()}
            assessment = self.assess(features, maps, is_smartphone=is_smartphone, maps_of=maps_of)
        return Analysis(
            quality=quality,
            assessment=assessment,
            features=features,
            segmentation=segmentation,
            measured=measured if assessment else None,
        )

    def _verdict(
        self, quality: Verdict, outlined: Segmentation | None, in_domain: float
    ) -> tuple[Verdict, Segmentation | None]:
        """Return the final verdict, and the outline if it was considered."""
        # A wrong subject is the more useful reason for a photograph that is also blurred or dark.
        if in_domain < self.in_domain.threshold:
            return Verdict.NOT_SKIN, None
        if quality is not Verdict.ACCEPTED or outlined is None:
            return quality, None
        # The network was never trained on bare skin and takes it for a mole.
        return (quality if outlined.shows_lesion else Verdict.NO_LESION), outlined

    def calibration_for(self, *, is_smartphone: bool) -> Calibration:
        """Return the calibration for smartphone or for dermatoscopic photographs."""
        return self.smartphone_calibration if is_smartphone else self.calibration

    def assess(
        self,
        features: npt.NDArray[np.float16],
        maps: dict[str, Floats],
        *,
        is_smartphone: bool = False,
        maps_of: Iterable[str] = (),
    ) -> Assessment:
        """Return the head's assessment for features (F,) and maps; it takes under a millisecond.

        Args:
            features: of one photograph.
            maps: by stage name.
            is_smartphone: whether it was taken without a dermatoscope, and is assessed with less confidence.
            maps_of: as in ``analyse``.
        """
        calibration = self.calibration_for(is_smartphone=is_smartphone)
        exact = features.astype(np.float32)
        logits = self.head.logits(exact[None])
        probabilities = calibration.probabilities(logits)[0]
        malignant = _malignant(probabilities)
        tier = self.operating_points.tier_of(_malignant(calibration.probabilities_as_released(logits)[0]))
        shares = by_code(probabilities)
        mapped = dict.fromkeys([explained_code(shares, tier=tier), most_probable_code(shares), *maps_of])
        return Assessment(
            probabilities=shares,
            equal_prior_scores=by_code(calibration.equal_prior_scores(logits)[0]),
            prediction_set=tuple(CODES[index] for index in calibration.prediction_set(probabilities)),
            malignant_probability=min(malignant, 1.0),
            tier=tier,
            draw_heat_maps=lambda: {
                code: grad_cam(maps, self.head.gradient(exact, class_index=CODES.index(code))) for code in mapped
            },
        )


def _examined(
    picture: Picture, *, force: bool, measures: bool
) -> tuple[Quality, Segmentation | None, Measured | None]:
    """Return what does not need the network: quality and, unless it is refused, outline and measures."""
    # The outline first, because the others need ``picture.square``, which the engine's thread makes meanwhile.
    outlined = get_segmenter().segment(picture.pixels)
    quality = judge(picture)
    if quality.verdict is not Verdict.ACCEPTED and not force:
        return quality, None, None
    return quality, outlined, measure_picture(picture, found=outlined) if measures else None


def _malignant(probabilities: Floats) -> float:
    return sum(float(probabilities[CODES.index(code)]) for code in MALIGNANT_CODES)


def _reference_of(release: Release) -> DriftReference | None:
    """Return the drift reference if it belongs to this backbone; features of two backbones are not comparable."""
    if release.reference is None:
        return None
    reference = read_reference(release.reference)
    return reference if reference.backbone_sha256 == release.backbone_sha256 else None


_lock = threading.Lock()
_analyser: Analyser | None = None


def get_analyser() -> Analyser:
    """Return this process's analyser of the shipped network, loaded on first use.

    Raises:
        ReleaseError: a file is missing or was altered; there is no fallback.
    """
    global _analyser
    if _analyser is None:
        with _lock:
            if _analyser is None:
                _analyser = Analyser(load_release())
    return _analyser
