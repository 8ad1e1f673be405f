"""Training of a candidate: fine-tuning of the active head on new cases and on the base set's replay."""

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
from mlmodel.texts import Text
from mlmodel.texts import gettext_noop as _

Progress = Callable[[float, Text], None]


def within(progress: Progress, start: float, end: float) -> Progress:
    """Return the progress callback of a step that takes the whole from ``start`` to ``end``."""
    return lambda share, stage: progress(start + share * (end - start), stage)


# The share of the new lesions that is held out for early stopping.
HELD_SHARE = 0.2
_MINIMUM_HELD = 10
# With fewer lesions the head is not changed, since only the replay and chance would change it.
LEAST_LESIONS = 20
# The full step is never taken: its second half gains at the clinic but loses lesions of rare classes in the base set,
# and the next retraining continues from here.
STEPS_TOWARDS = (0.25, 0.5)


@dataclass(frozen=True)
class Shares:
    """The new cases, split by lesion: for training, and held out for early stopping."""

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
    """Return a candidate: a head trained on the new cases and the base set's replay, and recalibrated.

    A new head learns from the new cases and from the active head's answers for the replay. After each epoch, the heads
    a quarter of the way and half-way to it are evaluated, which forget less (Wortsman et al., CVPR 2022); the one with
    the lowest loss on the held-out cases is taken. If there are cases of a class that is not in the base set, a head
    trained from scratch is evaluated as well. If no head is better than the active one, or there are very few lesions,
    the active network itself is returned.

    Args:
        active: the active network, from whose head training starts.
        base: the base set of the release with the same backbone.
        learned: confirmed cases, none from a held-out test set; may be empty.
        seed: the random seed; the same seed and cases give the same candidate.
        progress: called with the share done, in [0, 1], and the current step.
        recipe: the hyperparameters; by default those chosen on fold 7.

    Raises:
        ValueError: the number of features differs from the base set's, or a value is not finite.
    """
    recipe = recipe or Recipe()
    progress(0.0, Text(_("Preparing the cases")))
    _check(base, learned)
    shares = split_by_lesion(learned, seed=seed)
    held_cases = HeldCases(base.calibration, shares.held, calibration=active.calibration)
    best, lowest_loss = None, held_cases.loss(active.head)
    progress(0.05, Text(_("Training the head")))
    for head in _trained_heads(active, base, shares, recipe, seed, progress) if _is_enough(shares.trained) else ():
        if (loss := held_cases.loss(head)) < lowest_loss:
            best, lowest_loss = head, loss
    progress(0.9, Text(_("Calibrating")))
    if best is None:
        progress(1.0, Text(_("Trained: the active head is kept")))
        return active
    # Calibrated on the base set only, since the probabilities are stated for its class mix.
    candidate = calibrated(best, class_mix=active.calibration.class_mix, cases=base.calibration, before=active)
    progress(1.0, Text(_("Trained")))
    return candidate


def _trained_heads(
    active: Network, base: BaseSet, shares: Shares, recipe: Recipe, seed: int, progress: Progress
) -> Iterator[Head]:
    """Yield every head to evaluate, reporting progress."""
    log_mix = np.log(active.calibration.class_mix)
    new_classes = untaught(base, shares.trained)
    count, done = recipe.epochs + bool(len(new_classes)) * FROM_NOTHING.epochs, 0

    def heads(start: Head, how: Recipe, lessons: TrainingMix) -> Iterator[Head]:
        nonlocal done
        for head in epochs_of(start, lessons, recipe=how, seed=seed, log_mix=log_mix):
            yield head
            done += 1
            stage = Text(_("Training the head: epoch %(done)d of %(count)d"), {"done": done, "count": count})
            progress(0.05 + 0.85 * done / count, stage)

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
    """Return the new cases split by lesion. With very few lesions, none are held out."""
    lesions = np.unique(learned.lesions)
    count = int(len(lesions) * HELD_SHARE)
    held = np.random.default_rng(seed).permutation(lesions)[: count if count >= _MINIMUM_HELD else 0]
    is_held = np.isin(learned.lesions, held)
    return Shares(trained=learned.take(~is_held), held=learned.take(is_held))


def _is_enough(trained: Cases) -> bool:
    return len(np.unique(trained.lesions)) >= LEAST_LESIONS


def head_between(start: Head, end: Head, share: float) -> Head:
    """Return the interpolated head, ``share`` of the way from one head to the other, in half precision."""
    part = np.float32(share)
    return in_half_precision(
        Head(**{name: values + part * (getattr(end, name) - values) for name, values in vars(start).items()})
    )


class HeldCases:
    """Cases held out from training, with the mean loss over classes and over base set and clinic."""

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
    """Return weights, summing to 1, that are equal for every class and, within it, for every lesion."""
    weights = lesion_weights(cases.lesions)
    shares = weights / np.bincount(cases.labels, weights=weights)[cases.labels]
    return (shares / shares.sum()).astype(np.float32)


def _check(base: BaseSet, learned: Cases) -> None:
    width = base.replay.features.shape[1]
    if len(learned) and learned.features.shape[1] != width:
        raise ValueError(f"The cases have {learned.features.shape[1]} features, but the base set has {width}.")
    if not np.isfinite(learned.features).all():
        raise ValueError("Some features are not finite: compute the features of these photographs again.")
