"""The classification head: from pooled features to seven logits, with its gradient in closed form."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """Dense, ReLU, dense. There is no dropout at inference, and feature scaling is folded into the weights.

    Attributes:
        hidden_weights: float32 (F, H).
        hidden_bias: float32 (H,).
        output_weights: float32 (H, 7), columns in the order of ``taxonomy.CODES``.
        output_bias: float32 (7,).
    """

    hidden_weights: Floats
    hidden_bias: Floats
    output_weights: Floats
    output_bias: Floats

    def logits(self, features: Floats) -> Floats:
        """Return the logits, float32 (B, 7), of features (B, F)."""
        hidden = np.maximum(features @ self.hidden_weights + self.hidden_bias, 0.0)
        return hidden @ self.output_weights + self.output_bias

    def gradient(self, features: Floats, *, class_index: int) -> Floats:
        """Return d logit / d features, float32 (F,), of one class at one photograph's features (F,).

        A ReLU head is piecewise linear, so the derivative is the product of the weights of the active hidden units; no
        automatic differentiation is needed.
        """
        is_on = features @ self.hidden_weights + self.hidden_bias > 0.0
        return self.hidden_weights @ (self.output_weights[:, class_index] * is_on)

    def save(self, path: Path) -> None:
        """Write the weights in half precision; ``load`` returns them as float32."""
        np.savez(path, **{name: getattr(self, name).astype(np.float16) for name in _ARRAYS})

    @classmethod
    def load(cls, source: Path | bytes) -> "Head":
        """Return a head that ``save`` wrote, from the file or its content. Pickled content is refused."""
        with np.load(opened(source), allow_pickle=False) as arrays:
            return cls(**{name: arrays[name].astype(np.float32) for name in _ARRAYS})


_ARRAYS = ("hidden_weights", "hidden_bias", "output_weights", "output_bias")


def opened(source: Path | bytes) -> Path | io.BytesIO:
    """Return a path, or bytes as an open file, for NumPy to load."""
    return io.BytesIO(source) if isinstance(source, bytes) else source
