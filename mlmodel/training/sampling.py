"""Which photographs an epoch shows, in which order: a function of the seed and the epoch alone, so runs can resume."""

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
# Of every class, this share of draws is of sharp copies, as far as it has both kinds.
_SHARP_SHARE = 0.6


def epoch_order(labels: Indices, sources: npt.NDArray[np.str_], *, sampling: str, seed: int, epoch: int) -> Indices:
    """Return the rows to show, int64 (N,), in order.

    Args:
        labels: int64 (N,), class indices.
        sources: str (N,), ``sharp`` or another word for a copy that lost detail.
        sampling: ``every-image`` or ``square-root`` (see ``Recipe``).
        seed: of the run.
        epoch: counted through all phases.
    """
    generator = np.random.default_rng((seed, epoch))
    if sampling == "every-image":
        return generator.permutation(len(labels))
    drawn = []
    for label, share in enumerate(drawn_mix(labels, sampling=sampling)):
        count = round(share * len(labels))
        sharp, soft = ((labels == label) & (sources == "sharp")), ((labels == label) & (sources != "sharp"))
        sharp_count = count if not soft.any() else 0 if not sharp.any() else round(_SHARP_SHARE * count)
        drawn += [_cycled(sharp, sharp_count, generator), _cycled(soft, count - sharp_count, generator)]
    return generator.permutation(np.concatenate(drawn))


def drawn_mix(labels: Indices, *, sampling: str) -> npt.NDArray[np.float64]:
    """Return the share of each class among what is drawn, float64 (classes,); the loss is adjusted to it."""
    counts = np.bincount(labels).astype(np.float64)
    weights = np.sqrt(counts) if sampling == "square-root" else counts
    return weights / weights.sum()


def held_log_mix(labels: Indices, *, sampling: str, loss: str) -> npt.NDArray[np.float64]:
    """Return what trained logits hold of the class mix, float64 (classes,), to be subtracted for an equal prior.

    Plain cross-entropy learns the mix that was drawn; the class-balanced and the logit-adjusted loss take it out.
    """
    drawn = np.log(drawn_mix(labels, sampling=sampling))
    return drawn if loss == "cross-entropy" else np.zeros_like(drawn)


def _cycled(is_candidate: npt.NDArray[np.bool_], count: int, generator: np.random.Generator) -> Indices:
    """Draw without repeating any before all were drawn."""
    rows = np.flatnonzero(is_candidate)
    if count == 0:
        return rows[:0]
    rounds = [generator.permutation(rows) for _ in range(-(-count // len(rows)))]
    return np.concatenate(rounds)[:count]
