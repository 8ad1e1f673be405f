"""Adam with decoupled weight decay and layer-wise learning rates, lowest for early layers.

Clark et al., ICLR 2020 (ELECTRA), and Bao et al., ICLR 2022 (BEiT), decrease the rate by a factor from block to block
in fine-tuning.
"""

from typing import Any

import keras
import tensorflow as tf

from mlmodel.training.architectures import base_of
from mlmodel.training.recipe import Phase

# As usual, weight decay does not apply to shifts and scales.
_WITHOUT_DECAY = ("bias", "gamma", "beta")


class LayerwiseAdam(keras.optimizers.Adam):
    """Adam (Kingma & Ba, 2015) with a learning rate factor for each variable and AdamW's weight decay."""

    def __init__(self, schedule: Any, *, factors: dict[str, float], decay: float, **limits: Any) -> None:
        """Set up the optimiser.

        Args:
            schedule: the learning rate, a number or a Keras schedule.
            factors: factors of the learning rate by path of a variable; 1 for those not listed.
            decay: the weight decay (Loshchilov & Hutter, 2019).
            limits: Keras's arguments for gradient clipping.
        """
        super().__init__(schedule, **limits)
        self._factors, self._decay = factors, decay

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable with its own learning rate."""
        # Within a step it is a TensorFlow variable, whose name is Keras's path.
        path = variable.name.removesuffix(":0")
        rate = learning_rate * self._factors.get(path, 1.0)
        if self._decay and not path.endswith(_WITHOUT_DECAY):
            variable.assign(variable * (1.0 - rate * self._decay))
        place = self._get_variable_index(variable)
        iteration = tf.cast(self.iterations + 1, variable.dtype)
        # Keras's own step needs twelve passes over the weights for this.
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=self.beta_1**iteration,
            beta2_power=self.beta_2**iteration,
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def layer_factors(network: keras.Model, phase: Phase) -> dict[str, float]:
    """Return the factor of the phase's learning rate for each weight of an Xception, by path.

    The head has ``head_rate``, block 14 the phase's own rate, and each earlier block ``layer_decay`` times the rate of
    the next.
    """
    base = base_of(network)
    own = {weight.path for layer in base.layers for weight in layer.weights}
    head = phase.head_rate / phase.peak_rate if phase.head_rate else 1.0
    factors = {weight.path: head for weight in network.weights if weight.path not in own}
    # Blocks 2 to 13 each end in an addition; block 1 has the rate of block 2.
    ends = [place for place, layer in enumerate(base.layers) if isinstance(layer, keras.layers.Add)]
    for place, layer in enumerate(base.layers):
        below_top = sum(place <= end for end in ends)
        for weight in layer.weights:
            factors[weight.path] = phase.layer_decay**below_top
    return factors
