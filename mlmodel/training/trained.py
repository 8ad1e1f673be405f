"""Trained networks of runs, with their heads for releases."""

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
from mlmodel.training.sampling import implied_log_mix


def load_trained(run: RunDirectory, *, weights: str = "weights.npz") -> tuple[Recipe, keras.Model]:
    """Return a run's recipe and its network with the final weights.

    Args:
        run: the run's folder.
        weights: a file in it; ``weights-phase-2.npz`` are those at the end of the second phase.

    Raises:
        RunError: there is no such run, or it has not reached this point.
    """
    recipe = recipe_of(run)
    network = build_network(recipe, start="random")
    network.set_weights(run.load_weights(weights))
    return recipe, network


def recipe_of(run: RunDirectory) -> Recipe:
    """Return the stored recipe of a run."""
    configuration = run.configuration()
    return recipe_from(configuration["recipe"]["name"], configuration["recipe"])


def story_of(run: RunDirectory, recipe: Recipe, *, weights: str = "weights.npz") -> dict[str, Any]:
    """Return the facts on training for a release: recipe, data, number of steps and order of photographs.

    Args:
        run: the run.
        recipe: its recipe.
        weights: the released file; for the weights of a phase, the order is not available.
    """
    progress: dict[str, Any] = run.report() or {}
    if weights.startswith("weights-phase-"):
        phase = weights.removeprefix("weights-phase-").removesuffix(".npz")
        steps = [int(row["steps_taken"]) for row in run.rows("epochs.csv") if row["phase"] == phase]
        progress = {"steps_taken": max(steps), "phases": int(phase)}
    elif not progress and (checkpoint := run.load_checkpoint()):
        progress = asdict(checkpoint[0])
    return {
        "run_recipe": recipe.name,
        "data": run.configuration()["data"],
        "recipe_in_full": recipe.as_dict(),
        **{name: run.configuration()[name] for name in ("begun_from",) if name in run.configuration()},
        **{name: progress[name] for name in ("steps_taken", "order", "phases") if name in progress},
    }


def head_of(recipe: Recipe, network: keras.Model, *, trained_labels: Labels) -> Head:
    """Return a trained network's head for the engine's features.

    Batch normalisation of the pools is folded into the hidden layer; stages that the network does not use get weights
    of zero. The logits are converted from the sampled class mix to that of the training photographs.

    Args:
        recipe: the run's recipe.
        network: the run's network.
        trained_labels: int64 (N,), the labels of the training photographs.

    Raises:
        RunError: the network is not an Xception with all seven classes.
    """
    if recipe.architecture != "xception" or recipe.classes != CODES:
        raise RunError(
            f"The network of recipe “{recipe.name}” cannot be released: it must be an xception with seven classes."
        )
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
    held = implied_log_mix(trained_labels, sampling=recipe.sampling, loss=recipe.loss)
    return Head(
        hidden_weights=hidden_weights,
        hidden_bias=bias.astype(np.float32),
        output_weights=output_weights.astype(np.float32),
        output_bias=(output_bias + natural - held).astype(np.float32),
    )
