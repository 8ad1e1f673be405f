"""Train a candidate: the active head goes on learning, from the new cases and from what it must not forget."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mlmodel.metrics.calibration_rules import lesion_weights
from mlmodel.network.calibration import Calibration
from mlmodel.network.head import Floats, Head
from mlmodel.retraining.base_set import BaseSet, Cases, joined
from mlmodel.retraining.candidate_calibration import calibrated
from mlmodel.retraining.candidate_network import Network
from mlmodel.retraining.fitting import Recipe, epochs_of, in_half_precision
from mlmodel.retraining.from_scratch import FROM_NOTHING, SHARES, beside, untaught, untrained_head
from mlmodel.retraining.training_cases import TrainingMix, from_one_source, mixed_with_replay

Progress = Callable[[float, str], None]


def within(progress: Progress, start: float, end: float) -> Progress:
    """Return what a part of the work tells how far it is: the share of the whole goes from ``start`` to ``end``."""
    return lambda share, stage: progress(start + share * (end - start), stage)


# Of the new lesions, the share that is not trained on but says when to stop.
HELD_SHARE = 0.2
_LEAST_HELD = 10
# A head is not changed for fewer lesions: what moved it would be the replay and chance.
LEAST_LESIONS = 20
# Never the whole way: what its second half wins at the clinic turns over lesions of rare classes at home, and the next
# retraining goes on from where this one stopped.
STEPS_TOWARDS = (0.25, 0.5)


@dataclass(frozen=True)
class Shares:
    """The new cases, split by lesion: what is trained on, and what says when to stop."""

    trained: Cases
    held: Cases


def train_candidate(
    *,
    active: Network,
    base: BaseSet,
    learned: Cases,
    seed: int,
    progress: Progress,
    recipe: Recipe | None = None,
) -> Network:
    """Return a candidate: a head trained on the new cases beside the base set's replay, calibrated anew.

    A new head learns from the new cases and remembers what the active one says of the replay (``lessons``). After each
    epoch the heads a quarter of the way and half-way to it are tried, which forget less (Wortsman et al., CVPR 2022);
    the one that serves the held cases best is taken. Where there are cases of a class
    that the base set has none of, a head from nothing is tried as well. Where none serves them better than the active
    head, or the lesions are very few, the active network itself is returned: labels that teach nothing change nothing.

    Args:
        active: the network that answers now; its head is the start.
        base: of the release whose backbone made the features.
        learned: confirmed cases, none of them of a locked test. None at all is allowed, and teaches nothing.
        seed: of all chance; the same seed and cases give the same candidate.
        progress: is told the share done, in [0, 1], and what is being done.
        recipe: how; by default as it was chosen on fold 7.

    Raises:
        ValueError: features of another width than the base set's, or values that are not finite.
    """
    recipe = recipe or Recipe()
    progress(0.0, "Preparing the cases")
    _check(base, learned)
    shares = split_by_lesion(learned, seed=seed)
    held = HeldCases(base.calibration, shares.held, calibration=active.calibration)
    best, least = None, held.loss(active.head)
    progress(0.05, "Training the head")
    for head in _tried(active, base, shares, recipe, seed, progress) if _is_enough(shares.trained) else ():
        if (loss := held.loss(head)) < least:
            best, least = head, loss
    progress(0.9, "Calibrating")
    if best is None:
        progress(1.0, "Trained: the active head stays")
        return active
    # On the base's cases alone: probabilities are said to be true to its class mix, and a clinic's mix is another.
    candidate = calibrated(best, class_mix=active.calibration.class_mix, cases=base.calibration, before=active)
    progress(1.0, "Trained")
    return candidate


def _tried(
    active: Network, base: BaseSet, shares: Shares, recipe: Recipe, seed: int, progress: Progress
) -> Iterator[Head]:
    """Yield every head that is to be tried, and tell how far it is."""
    log_mix = np.log(active.calibration.class_mix)
    new_classes = untaught(base, shares.trained)
    count, done = recipe.epochs + bool(len(new_classes)) * FROM_NOTHING.epochs, 0

    def heads(start: Head, how: Recipe, lessons: TrainingMix) -> Iterator[Head]:
        nonlocal done
        for head in epochs_of(start, lessons, recipe=how, seed=seed, log_mix=log_mix):
            yield head
            done += 1
            progress(0.05 + 0.85 * done / count, f"Training the head: epoch {done} of {count}")

    lessons = mixed_with_replay(
        base.replay, shares.trained, active=active.head, log_mix=log_mix, evenness=recipe.evenness,
        replay_evenness=recipe.replay_evenness, remembered=recipe.remembered,
    )  # fmt: skip
    for head in heads(active.head, recipe, lessons):
        yield from (head_between(active.head, head, share) for share in STEPS_TOWARDS)
    if len(new_classes):
        cases = joined(base.replay, shares.trained)
        together = from_one_source(cases, evenness=FROM_NOTHING.evenness)
        for head in heads(untrained_head(active.head, cases, seed=seed), FROM_NOTHING, together):
            yield from (
                beside(active.head, head, share=share, untaught=new_classes) if share else head for share in SHARES
            )


def split_by_lesion(learned: Cases, *, seed: int) -> Shares:
    """Return the new cases in two shares that have no lesion in common. Of very few, none are held back."""
    lesions = np.unique(learned.lesions)
    count = int(len(lesions) * HELD_SHARE)
    held = np.random.default_rng(seed).permutation(lesions)[: count if count >= _LEAST_HELD else 0]
    is_held = np.isin(learned.lesions, held)
    return Shares(trained=learned.take(~is_held), held=learned.take(is_held))


def _is_enough(trained: Cases) -> bool:
    return len(np.unique(trained.lesions)) >= LEAST_LESIONS


def head_between(start: Head, end: Head, share: float) -> Head:
    """Return the head whose weights lie ``share`` of the way from one head to the other, in half precision."""
    part = np.float32(share)
    return in_half_precision(
        Head(**{name: values + part * (getattr(end, name) - values) for name, values in vars(start).items()})
    )


class HeldCases:
    """How well a head serves cases it was not trained on: the mean loss over classes, base and clinic alike."""

    def __init__(self, *parts: Cases, calibration: Calibration) -> None:
        self._parts = [(part, _class_weights(part)) for part in parts if len(part)]
        self._calibration = calibration

    def loss(self, head: Head) -> float:
        losses = []
        for cases, weights in self._parts:
            logits = head.logits(cases.features.astype(np.float32))
            scores = self._calibration.equal_prior_scores(logits)[np.arange(len(cases)), cases.labels]
            losses.append(-float((weights * np.log(np.maximum(scores, 1e-6))).sum()))
        return float(np.mean(losses))


def _class_weights(cases: Cases) -> Floats:
    """Return weights, summing to 1, by which every class counts the same, and within it every lesion."""
    weights = lesion_weights(cases.lesions)
    shares = weights / np.bincount(cases.labels, weights=weights)[cases.labels]
    return (shares / shares.sum()).astype(np.float32)


def _check(base: BaseSet, learned: Cases) -> None:
    width = base.replay.features.shape[1]
    if len(learned) and learned.features.shape[1] != width:
        raise ValueError(f"The cases have {learned.features.shape[1]} features, the base set has {width}.")
    if not np.isfinite(learned.features).all():
        raise ValueError("Some features are not finite: compute the features of these photographs again.")
