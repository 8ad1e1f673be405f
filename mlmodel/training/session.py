"""Starting and resuming runs for the ``train`` command."""

import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TRAIN_FOLDS, Dataset, DatasetError
from mlmodel.releases.release_files import sha256_of
from mlmodel.training.architectures import build_network
from mlmodel.training.recipe import Recipe, RecipeError, load_recipe, recipe_from
from mlmodel.training.run_folder import RunDirectory, RunError
from mlmodel.training.teachers import check_teachers
from mlmodel.training.trained import recipe_of, story_of
from mlmodel.training.trainer import CHECKPOINT_SECONDS, Split, train

# What a network that goes on from another's weights must share with it: its inputs, outputs and training rows.
_ALIKE = ("classes", "scaling", "preparation", "pooled_stages", "split")


def run_recipe(
    *,
    name: str,
    architecture: str,
    dataset: Dataset,
    run: RunDirectory,
    resume: bool,
    weights: Path | None,
    begin_from: RunDirectory | None = None,
    split_by: str | None = None,
    precision: str | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Return the report of a run that trains the recipe ``name`` in ``run``.

    A resumed run uses its stored recipe, even if the recipe's file has changed. A finished run is not changed.

    Raises:
        DatasetError: a class of the recipe has no photographs for training or validation.
        RecipeError: the recipe does not exist or is for another architecture.
        RunError: the folder contains a run and ``resume`` is not set, or vice versa; the data changed; a teacher or
            the run to start from has not finished; or ``weights`` are not the base's.
    """
    if resume:
        configuration = run.configuration()
        recipe = recipe_from(configuration["recipe"]["name"], configuration["recipe"])
        if configuration["data"] != dataset.sha256:
            raise RunError(f"The run in {run.path} has other data ({configuration['data'][:12]}…).")
    else:
        recipe = load_recipe(name)
        overrides = {"split": split_by, "precision": precision}
        recipe = recipe_from(
            recipe.name, recipe.as_dict() | {name: value for name, value in overrides.items() if value}
        )
    if recipe.architecture != architecture:
        raise RecipeError(f"Recipe “{recipe.name}” is for --architecture {recipe.architecture}.")
    rows = split(recipe, dataset)
    if resume:
        begin_from = _beginning_again(run, begin_from)
    if begin_from is not None:
        _check_beginning(recipe, begin_from)
    check_teachers(recipe, beside=run)
    if not resume:
        build_network(recipe, weights=weights)  # fails on wrong weights before a run is created
        run.start(_configuration(recipe, dataset, begin_from))
    if report := run.report():
        say("This run has already finished.")
        return report
    return train(
        recipe=recipe,
        dataset=dataset,
        split=rows,
        run=run,
        weights=weights,
        begin_from=begin_from,
        checkpoint_seconds=checkpoint_seconds,
        say=say,
    )


def _check_beginning(recipe: Recipe, begin_from: RunDirectory) -> None:
    """Raise RunError if the run has not finished or its network differs from the one in ``recipe``."""
    if begin_from.report() is None:
        raise RunError(f"The run in {begin_from.path} has not finished, so its weights cannot be used.")
    own = recipe_of(begin_from)
    if any(getattr(own, name) != getattr(recipe, name) for name in _ALIKE):
        raise RunError(f"The run in {begin_from.path} has other classes, preprocessing or split than “{recipe.name}”.")
    shapes = [weight.shape for weight in begin_from.load_weights()]
    if shapes != [tuple(weight.shape) for weight in build_network(recipe, start="random").weights]:
        raise RunError(f"The network in {begin_from.path} is not the network of “{recipe.name}”.")


def _beginning_again(run: RunDirectory, begin_from: RunDirectory | None) -> RunDirectory | None:
    """Return the run whose weights a resumed run starts with; None once it has a checkpoint of its own.

    Raises:
        RunError: it started from another run, or from none.
    """
    begun_from = run.configuration().get("begun_from")
    if begin_from is not None and (begun_from or {}).get("weights_sha256") != _weights_sha256(begin_from):
        raise RunError(f"The run in {run.path} did not start from {begin_from.path}.")
    if run.has_checkpoint:
        return None
    if begun_from and begin_from is None:
        raise RunError(f"The run in {run.path} has no checkpoint yet: give --begin-from again.")
    return begin_from


def _weights_sha256(run: RunDirectory) -> str:
    return sha256_of(run.path / "weights.npz") if run.report() else ""


def split(recipe: Recipe, dataset: Dataset) -> Split:
    """Return the training and validation rows of a recipe.

    Raises:
        DatasetError: a class has no photographs for training or validation.
    """
    labels = dataset.labels_among(recipe.classes)
    is_included = dataset.possible_among(recipe.classes).any(axis=1)
    if recipe.split == "by-lesion":
        trained = np.flatnonzero(is_included & dataset.rows(TRAIN_FOLDS))
        validation = np.flatnonzero(is_included & dataset.rows(CALIBRATION_FOLDS))
    else:
        rows = np.random.default_rng(recipe.seed).permutation(np.flatnonzero(is_included))
        validation, trained = np.sort(rows[: len(rows) // 5]), np.sort(rows[len(rows) // 5 :])
    for number, phase in enumerate(recipe.phases, start=1):
        if np.isin(dataset.copies[trained], phase.left_out).all():
            raise DatasetError(f"Phase {number} excludes all training photographs.")
    for rows, purpose in ((trained, "training"), (validation, "validation")):
        if absent := [code for n, code in enumerate(recipe.classes) if n not in labels[rows]]:
            raise DatasetError(f"There are no photographs of {', '.join(absent)} for {purpose}.")
    return Split(trained=trained, validation=validation)


def _configuration(recipe: Recipe, dataset: Dataset, begin_from: RunDirectory | None) -> dict[str, Any]:
    return {
        **(
            {
                "begun_from": {
                    "weights_sha256": _weights_sha256(begin_from),
                    **story_of(begin_from, recipe_of(begin_from)),
                }
            }
            if begin_from
            else {}
        ),
        "recipe": recipe.as_dict(),
        "data": dataset.sha256,
        "libraries": {name: version(name) for name in ("tensorflow-cpu", "keras", "numpy", "pillow")},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
