"""Begin a run, or go on with one: what the ``train`` command does."""

import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from mlmodel.datasets.dataset import CALIBRATION_FOLDS, TRAIN_FOLDS, Dataset, DatasetError
from mlmodel.training.architectures import build_network
from mlmodel.training.recipe import Recipe, RecipeError, load_recipe, recipe_from
from mlmodel.training.run_folder import RunDirectory, RunError
from mlmodel.training.teachers import check_teachers
from mlmodel.training.trained import recipe_of, story_of
from mlmodel.training.trainer import CHECKPOINT_SECONDS, Split, train


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
    """Train by the recipe ``name`` in ``run``, and return the run's report.

    A run that goes on follows the recipe it began with, whatever the recipe's file says by now. One that has ended is
    left as it is.

    Raises:
        DatasetError: a class of the recipe has no photograph to train or to watch.
        RecipeError: there is no such recipe, or it is for another architecture.
        RunError: the folder holds a run and ``resume`` is not set, or the other way round; or the data changed; or a
            run that is to teach this one, or that it begins from, has not ended; or ``weights`` are not the base's.
    """
    if resume:
        configuration = run.configuration()
        recipe = recipe_from(configuration["recipe"]["name"], configuration["recipe"])
        if configuration["data"] != dataset.sha256:
            raise RunError(f"The run in {run.path} began with other data ({configuration['data'][:12]}…).")
    else:
        recipe = load_recipe(name)
        instead = {"split": split_by, "precision": precision}
        recipe = recipe_from(recipe.name, recipe.as_dict() | {name: asked for name, asked in instead.items() if asked})
    if recipe.architecture != architecture:
        raise RecipeError(f"Recipe “{recipe.name}” is for --architecture {recipe.architecture}.")
    rows = split(recipe, dataset)
    if begin_from is not None:
        _check_beginning(recipe, begin_from)
    check_teachers(recipe, beside=run)
    if not resume:
        build_network(recipe, weights=weights)  # tried before anything is written: wrong weights leave no run behind
        run.start(_configuration(recipe, dataset, begin_from))
    if report := run.report():
        say("This run has ended; there is nothing to go on with.")
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
    """Raise RunError if the run has not ended, or its network is not the one that ``recipe`` trains."""
    if begin_from.report() is None:
        raise RunError(f"The run in {begin_from.path} has not ended: there is nothing to begin from.")
    shapes = [weight.shape for weight in begin_from.load_weights()]
    if shapes != [tuple(weight.shape) for weight in build_network(recipe, start="random").weights]:
        raise RunError(f"The network in {begin_from.path} is not the one that “{recipe.name}” trains.")


def split(recipe: Recipe, dataset: Dataset) -> Split:
    """Return which rows a recipe trains on and which it watches.

    Raises:
        DatasetError: a class has none to train on, or none to watch.
    """
    labels = dataset.labels_among(recipe.classes)
    takes_part = dataset.possible_among(recipe.classes).any(axis=1)
    if recipe.split == "by-lesion":
        trained = np.flatnonzero(takes_part & dataset.rows(TRAIN_FOLDS))
        watched = np.flatnonzero(takes_part & dataset.rows(CALIBRATION_FOLDS))
    else:
        rows = np.random.default_rng(recipe.seed).permutation(np.flatnonzero(takes_part))
        watched, trained = np.sort(rows[: len(rows) // 5]), np.sort(rows[len(rows) // 5 :])
    for number, phase in enumerate(recipe.phases, start=1):
        if np.isin(dataset.copies[trained], phase.left_out).all():
            raise DatasetError(f"Phase {number} leaves out all photographs that there are to train on.")
    for rows, purpose in ((trained, "train on"), (watched, "watch")):
        if absent := [code for n, code in enumerate(recipe.classes) if n not in labels[rows]]:
            raise DatasetError(f"There are no photographs of {', '.join(absent)} to {purpose}.")
    return Split(trained=trained, watched=watched)


def _configuration(recipe: Recipe, dataset: Dataset, begin_from: RunDirectory | None) -> dict[str, Any]:
    return {
        **({"begun_from": story_of(begin_from, recipe_of(begin_from))} if begin_from else {}),
        "recipe": recipe.as_dict(),
        "data": dataset.sha256,
        "libraries": {name: version(name) for name in ("tensorflow-cpu", "keras", "numpy", "pillow")},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
