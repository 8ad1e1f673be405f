"""What a run left behind, taken apart for serving: the base that the engine runs, and the head that reads it."""

from dataclasses import asdict
from typing import Any

import keras
import numpy as np

from mlmodel.metrics.class_mixes import drawn_mix
from mlmodel.network.calibration import Labels
from mlmodel.network.head import Head
from mlmodel.network.stages import FEATURE_COUNT, stage_slice
from mlmodel.taxonomy import CODES
from mlmodel.training.architectures import build_network, head_slices
from mlmodel.training.recipe import Recipe, recipe_from
from mlmodel.training.run_folder import RunDirectory, RunError
from mlmodel.training.sampling import held_log_mix


def load_trained(run: RunDirectory, *, weights: str = "weights.npz") -> tuple[Recipe, keras.Model]:
    """Return a run's recipe and its network with the weights it ended with.

    Args:
        run: the run's folder.
        weights: a file in it; ``weights-phase-2.npz`` are those at the end of the second phase.

    Raises:
        RunError: there is no such run, or it has not come so far.
    """
    recipe = recipe_of(run)
    network = build_network(recipe, start="random")
    network.set_weights(run.load_weights(weights))
    return recipe, network


def recipe_of(run: RunDirectory) -> Recipe:
    """Return the recipe that a run began with."""
    configuration = run.configuration()
    return recipe_from(configuration["recipe"]["name"], configuration["recipe"])


def story_of(run: RunDirectory, recipe: Recipe, *, weights: str = "weights.npz") -> dict[str, Any]:
    """Return what a release says of the training behind it: recipe, data, how many steps, in which order.

    Args:
        run: its folder.
        recipe: its recipe.
        weights: the file that is released; of a phase's weights, the order is not known apart.
    """
    ended: dict[str, Any] = run.report() or {}
    if weights.startswith("weights-phase-"):
        phase = weights.removeprefix("weights-phase-").removesuffix(".npz")
        steps = [int(row["steps_taken"]) for row in run.rows("epochs.csv") if row["phase"] == phase]
        ended = {"steps_taken": max(steps), "phases": int(phase)}
    elif not ended and (kept := run.load_checkpoint()):
        ended = asdict(kept[0])
    return {
        "run_recipe": recipe.name,
        "data": run.configuration()["data"],
        "recipe_in_full": recipe.as_dict(),
        **{name: run.configuration()[name] for name in ("begun_from",) if name in run.configuration()},
        **{name: ended[name] for name in ("steps_taken", "order", "phases") if name in ended},
    }


def head_of(recipe: Recipe, network: keras.Model, *, trained_labels: Labels) -> Head:
    """Return a trained network's own head, for the features that the engine gives.

    Batch normalisation of the pools is folded into the hidden layer; stages that the network does not read get weights
    of zero. The logits are brought to the class mix of the training photographs, whatever mix was drawn.

    Args:
        recipe: the run's.
        network: the run's.
        trained_labels: int64 (N,), of the training photographs.

    Raises:
        RunError: the network is no Xception of all seven classes.
    """
    if recipe.architecture != "xception" or recipe.classes != CODES:
        raise RunError(f"Recipe “{recipe.name}” does not make a network that can be served: xception, seven classes.")
    weights, bias = (np.asarray(array) for array in network.get_layer("head_hidden").get_weights())
    if recipe.normalise_pools:
        norm = network.get_layer("head_norm")
        mean, variance = (np.asarray(array) for array in norm.get_weights())
        scale = 1.0 / np.sqrt(variance + norm.epsilon)
        bias = bias - (mean * scale) @ weights
        weights = weights * scale[:, None]
    hidden_weights = np.zeros((FEATURE_COUNT, weights.shape[1]), dtype=np.float32)
    for stage, place in head_slices(recipe.pooled_stages).items():
        hidden_weights[stage_slice(stage)] = weights[place]
    output_weights, output_bias = (np.asarray(array) for array in network.get_layer("head_output").get_weights())
    natural = np.log(drawn_mix(trained_labels, sampling="every-image"))
    held = held_log_mix(trained_labels, sampling=recipe.sampling, loss=recipe.loss)
    return Head(
        hidden_weights=hidden_weights,
        hidden_bias=bias.astype(np.float32),
        output_weights=output_weights.astype(np.float32),
        output_bias=(output_bias + natural - held).astype(np.float32),
    )
