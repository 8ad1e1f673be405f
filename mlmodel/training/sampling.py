"""Which photographs an epoch shows, in which order: a function of the seed and the epoch alone, so runs can resume."""

import numpy as np
import numpy.typing as npt

from mlmodel.metrics.class_mixes import Indices, Strings, drawn_mix

# Of every class, this share of draws is of sharp copies, as far as it has both kinds.
_SHARP_SHARE = 0.6


def epoch_order(
    labels: Indices,
    copies: Strings,
    sources: Strings | None = None,
    *,
    sampling: str,
    seed: int,
    epoch: int,
) -> Indices:
    """Return the rows to show, int64 (N,), in order.

    Args:
        labels: int64 (N,), what is drawn evenly: class indices, and numbers above them for partial labels.
        copies: str (N,), ``sharp`` or another word for a copy that lost detail.
        sources: str (N,), each of which keeps its share of what is drawn; None for a single one.
        sampling: ``every-image`` or ``square-root`` (see ``Recipe``).
        seed: of the run.
        epoch: counted through all phases.
    """
    generator = np.random.default_rng((seed, epoch))
    if sampling == "every-image":
        return generator.permutation(len(labels))
    sources = np.zeros(len(labels), dtype=np.str_) if sources is None else sources
    drawn = []
    for source in np.unique(sources):
        of_source = sources == source
        for label, share in enumerate(drawn_mix(labels[of_source], sampling=sampling)):
            count = round(share * int(of_source.sum()))
            found = of_source & (labels == label)
            sharp, soft = found & (copies == "sharp"), found & (copies != "sharp")
            sharp_count = count if not soft.any() else 0 if not sharp.any() else round(_SHARP_SHARE * count)
            drawn += [_cycled(sharp, sharp_count, generator), _cycled(soft, count - sharp_count, generator)]
    return generator.permutation(np.concatenate(drawn))


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
