"""Adam with decoupled weight decay and a rate of its own for every layer: what lies deep changes least.

Clark et al., ICLR 2020 (ELECTRA), and Bao et al., ICLR 2022 (BEiT), let the rate fall by a factor from block to block
when a network that was trained before is trained on.
"""

from typing import Any

import keras
import tensorflow as tf

from mlmodel.training.architectures import base_of
from mlmodel.training.recipe import Phase

# Spared by weight decay, as is usual: what shifts and scales.
_SPARED = ("bias", "gamma", "beta")


class LayerwiseAdam(keras.optimizers.Adam):
    """Adam (Kingma & Ba, 2015) whose steps are multiplied variable by variable, with AdamW's decay."""

    def __init__(self, schedule: Any, *, factors: dict[str, float], decay: float, **limits: Any) -> None:
        """Nothing is learnt yet.

        Args:
            schedule: the learning rate, a number or a Keras schedule.
            factors: by path of a variable; 1 for those that are not there.
            decay: share of a weight's value that a step of rate 1 takes off (Loshchilov & Hutter, 2019).
            limits: what Keras's optimisers know to limit gradients.
        """
        super().__init__(schedule, **limits)
        self._factors, self._decay = factors, decay

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Take one variable's step at its own rate."""
        # Inside a step it is TensorFlow's own variable, whose name is Keras's path.
        path = variable.name.removesuffix(":0")
        rate = learning_rate * self._factors.get(path, 1.0)
        if self._decay and not path.endswith(_SPARED):
            variable.assign(variable * (1.0 - rate * self._decay))
        place = self._get_variable_index(variable)
        taken = tf.cast(self.iterations + 1, variable.dtype)
        # What Keras's own step writes out in twelve passes over the weights.
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=self.beta_1**taken,
            beta2_power=self.beta_2**taken,
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


def layer_factors(network: keras.Model, phase: Phase) -> dict[str, float]:
    """Return by which factor of the phase's rate each weight of an Xception of ours learns, by its path.

    The head learns at ``head_rate``, block 14 at the phase's own rate, and each block before it at ``layer_decay``
    times the rate of the next.
    """
    base = base_of(network)
    own = {weight.path for layer in base.layers for weight in layer.weights}
    head = phase.head_rate / phase.peak_rate if phase.head_rate else 1.0
    factors = {weight.path: head for weight in network.weights if weight.path not in own}
    # Blocks 2 to 13 end in an addition each; block 1 learns at the rate of block 2.
    ends = [place for place, layer in enumerate(base.layers) if isinstance(layer, keras.layers.Add)]
    for place, layer in enumerate(base.layers):
        below_top = sum(place <= end for end in ends)
        for weight in layer.weights:
            factors[weight.path] = phase.layer_decay**below_top
    return factors
