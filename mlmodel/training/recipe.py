"""Recipes: everything that decides what a training run does, in small files that people can read and compare."""

import tomllib
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from mlmodel.datasets.dataset import COPIES, PROOFS
from mlmodel.network.stages import STAGES
from mlmodel.taxonomy import CODES

RECIPES = Path(__file__).parent / "recipes"

# Where learning, or renewing, may begin: the blocks of Xception that come right after a stage.
_FIRST_BLOCKS = tuple(f"block{int(stage.removeprefix('block')) + 1}" for stage, _ in STAGES[:-1])

Architecture = Literal["xception", "vgg16", "cnn8"]
Split = Literal["by-lesion", "by-image"]
Start = Literal["imagenet", "random"]
Scaling = Literal["-1..1", "0..1", "caffe"]
Loss = Literal["cross-entropy", "class-balanced", "logit-adjusted"]
Sampling = Literal["every-image", "square-root"]
Optimizer = Literal["adam", "adamw"]
Preparation = Literal["none", "shades-of-grey", "median", "hair-removal"]
Changes = Literal["none", "paper", "dermatoscope", "other-clinic"]
Precision = Literal["float32", "bfloat16"]


class RecipeError(ValueError):
    """There is no such recipe, or its file says something that cannot be done; the message says what."""


@dataclass(frozen=True)
class Phase:
    """A stretch of training at one picture size. The learning rate falls from peak to final along a cosine.

    Attributes:
        side: of the square that the network is shown, in pixels.
        epochs: passes.
        peak_rate: the learning rate after the warm-up.
        final_rate: the learning rate at the end; equal to the peak for a constant one.
        trainable_from: ``everything``, ``head``, or the first block that learns (``block4``); what lies before it
            stays as it is, batch normalisation included.
        warm_up_steps: steps over which the rate climbs to its peak.
        renewed_from: the first block that takes up its starting weights again, unread by the head at first: for one
            whose units have died. Empty for none.
        mixup: instead of the recipe's, where it is above 0.
        layer_decay: by how much slower each block of an Xception learns than the one after it (``layer_rates``).
        head_rate: of the head, at its peak, where it is not that of the last block; 0 for none of its own.
        left_out: copies that this phase does not show, as ``small``, which holds no fine detail.
        small_share: the share of the ``small`` copies that an epoch shows; each epoch draws its own.
        unseen_share: of the class mix of a source, for each class that it never shows (``sampling.log_priors``).
    """

    side: int
    epochs: int
    peak_rate: float
    final_rate: float
    trainable_from: str = "everything"
    warm_up_steps: int = 0
    renewed_from: str = ""
    mixup: float = 0.0
    layer_decay: float = 1.0
    head_rate: float = 0.0
    left_out: tuple[str, ...] = ()
    small_share: float = 1.0
    unseen_share: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        name: the file's name.
        about: one sentence for people.
        architecture: ``xception``, ``vgg16`` or ``cnn8``.
        phases: what is done, in order.
        classes: the codes that take part; photographs of others are left out.
        split: ``by-lesion`` (folds 0–6 train, 7 chooses, 8–9 locked) or ``by-image`` (80/20 at random, as the
            founding papers did; it leaks, and is kept to show by how much).
        start: ImageNet weights, or random ones.
        scaling: of pixels; Keras's Xception expects -1..1, its VGG16 ``caffe`` (BGR, ImageNet's mean taken off).
        pooled_stages: the stages whose channel means the head reads; empty for the last map alone.
        normalise_pools: batch normalisation between pools and head.
        starts_from_mix: the output layer starts at zero (Zhang et al., ICLR 2019), so that the network begins by
            saying the class mix and nothing has to be unlearned; else it starts at random.
        hidden_units: of the head's dense layer.
        feature_dropout: share of pooled features dropped in training.
        dropout: share of hidden units dropped in training.
        loss: ``logit-adjusted`` is Menon et al. (ICLR 2021); ``class-balanced`` weighs by inverse frequency.
        label_smoothing: share of the target spread over all classes.
        mixup: of the Beta distribution that photographs and labels are mixed by (Zhang et al., ICLR 2018); 0 for none.
        cutmix: the same for patches that are pasted in (Yun et al., ICCV 2019); with both, a batch takes turns.
        proof_weights: of the loss, by how a diagnosis was made (``dataset.PROOFS``); 1 for what is not named. It is
            never shown to the network (Gessert et al., IEEE TBME 2020).
        teachers: folders of ended runs, or of releases, beside this one, whose mean answer to the same changed
            photograph is learned (Hinton et al., 2015, at a temperature of 1; the same view for both: Beyer et al.,
            CVPR 2022).
        teaching_share: of the target that is theirs; the rest is the label's.
        taught_sources: whose photographs the teachers are asked about, as where they know one clinic well and others
            badly; the rest is learned by its labels alone. Empty for all.
        sampling: ``every-image`` once an epoch; ``square-root`` draws classes by the square root of their frequency
            and, within each class, sharp and soft copies in one proportion, so that softness says nothing; the
            same within each source.
        optimizer: ``adam`` (Kingma & Ba, 2015) or ``adamw`` (Loshchilov & Hutter, 2019).
        weight_decay: of ``adamw``; biases and batch normalisation are spared.
        clip_norm: largest norm of the gradient; 0 for none.
        average: momentum of the exponential moving average of the weights that is evaluated and kept; 0 for none.
            Early in a phase it is lower, so that the start weighs no more than what came after it.
        batch_norm_momentum: of moving means and variances; 0 leaves the architecture's own.
        settling_batches: at the end of each phase, the averaged weights' own moving means and variances are taken from
            so many batches, since an average of statistics is not that of the average (Wu & Johnson, 2021).
        least_answering: share of an Xception's last units that must answer to something watched; a run in which more
            have died stops at the end of the epoch, since it would serve them so.
        batch_size: photographs a step.
        preparation: of every photograph, before all else (``mlmodel.training.preparation``).
        changes: the random changes of training photographs (``mlmodel.training.augmentation``).
        precision: of a step; weights, optimiser and loss stay float32 (Micikevicius et al., ICLR 2018).
            ``bfloat16`` takes half the time where the processor multiplies it, and more where it does not.
        seed: of everything that is left to chance.
    """

    name: str
    about: str
    architecture: Architecture
    phases: tuple[Phase, ...]
    classes: tuple[str, ...] = CODES
    split: Split = "by-lesion"
    start: Start = "imagenet"
    scaling: Scaling = "-1..1"
    pooled_stages: tuple[str, ...] = ()
    normalise_pools: bool = False
    starts_from_mix: bool = False
    hidden_units: int = 1024
    feature_dropout: float = 0.0
    dropout: float = 0.5
    loss: Loss = "cross-entropy"
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    proof_weights: dict[str, float] = field(default_factory=dict)
    teachers: tuple[str, ...] = ()
    teaching_share: float = 0.0
    taught_sources: tuple[str, ...] = ()
    sampling: Sampling = "every-image"
    optimizer: Optimizer = "adam"
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    average: float = 0.0
    batch_norm_momentum: float = 0.0
    settling_batches: int = 0
    least_answering: float = 0.0
    batch_size: int = 32
    preparation: Preparation = "none"
    changes: Changes = "none"
    precision: Precision = "float32"
    seed: int = 7

    def as_dict(self) -> dict[str, Any]:
        """Return what a run's configuration holds."""
        return asdict(self)


def load_recipe(name: str, *, folder: Path = RECIPES) -> Recipe:
    """Read the recipe ``name``: one of ours, or a path to a TOML file of your own.

    Raises:
        RecipeError: there is none, or it is not well formed.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        raise RecipeError(f"There is no recipe “{name}”. There are: {', '.join(recipe_names(folder=folder))}.")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path.name} is not TOML: {error}") from error
    return recipe_from(path.stem, values)


def recipe_names(*, folder: Path = RECIPES) -> list[str]:
    """Return the names of all recipes, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def recipe_from(name: str, values: dict[str, Any]) -> Recipe:
    """Return the recipe that a file's values, or a run's configuration, describe.

    Raises:
        RecipeError: a value is missing, unknown or out of range.
    """
    values = {key: value for key, value in values.items() if key != "name"}
    phases = values.pop("phases", None)
    if not isinstance(phases, list | tuple) or not phases:
        raise RecipeError(f"Recipe “{name}” has no phases.")
    read = tuple(Phase(**_checked(Phase, phase, f"{name}, phase {n}")) for n, phase in enumerate(phases, start=1))
    recipe = Recipe(name=name, phases=read, **_checked(Recipe, {**values}, name, given={"name", "phases"}))
    for phase in recipe.phases:
        _check_phase(recipe, phase)
    _check_teaching(recipe)
    if recipe.precision != "float32" and any(phase.trainable_from == "head" for phase in recipe.phases):
        raise RecipeError(f"Recipe “{name}”: features of a frozen base are computed in float32 alone.")
    if unknown := set(recipe.proof_weights) - set(PROOFS):
        raise RecipeError(f"Recipe “{name}”: proof_weights may be of {', '.join(PROOFS)}, not {', '.join(unknown)}.")
    if not all(isinstance(weight, int | float) and weight > 0 for weight in recipe.proof_weights.values()):
        raise RecipeError(f"Recipe “{name}”: proof_weights are numbers above 0.")
    if recipe.mixup < 0 or recipe.cutmix < 0:
        raise RecipeError(f"Recipe “{name}”: mixup and cutmix are not below 0.")
    if unknown := set(recipe.classes) - set(CODES):
        raise RecipeError(f"Recipe “{name}” names classes that are not of the seven: {', '.join(sorted(unknown))}.")
    return recipe


def _check_phase(recipe: Recipe, phase: Phase) -> None:
    name = recipe.name
    rates_fit = 0 < phase.final_rate <= phase.peak_rate and 0 < phase.layer_decay <= 1 and phase.head_rate >= 0
    if phase.epochs < 1 or not 32 <= phase.side <= 1024 or not rates_fit or phase.mixup < 0:
        raise RecipeError(f"Recipe “{name}” has a phase that cannot be run: {phase}.")
    if phase.trainable_from not in {"everything", "head", *_FIRST_BLOCKS}:
        raise RecipeError(f"Recipe “{name}”: trainable_from may be everything, head, {', '.join(_FIRST_BLOCKS)}.")
    if phase.renewed_from and (recipe.architecture != "xception" or phase.renewed_from not in _FIRST_BLOCKS):
        raise RecipeError(f"Recipe “{name}”: renewed_from may be, of an xception, {', '.join(_FIRST_BLOCKS)}.")
    has_own_rates = phase.layer_decay != 1 or phase.head_rate > 0
    if has_own_rates and (recipe.architecture != "xception" or recipe.optimizer != "adamw"):
        raise RecipeError(f"Recipe “{name}”: layer_decay and head_rate are for an xception with adamw.")
    if not 0 < phase.small_share <= 1:
        raise RecipeError(f"Recipe “{name}”: small_share is above 0 and up to 1; left_out shows none.")
    if not 0 <= phase.unseen_share < 1 / len(recipe.classes):
        raise RecipeError(f"Recipe “{name}”: unseen_share is from 0 to below {1 / len(recipe.classes):.3f}.")
    if set(phase.left_out) - set(COPIES):
        raise RecipeError(f"Recipe “{name}”: left_out may hold {', '.join(COPIES)}.")


def _check_teaching(recipe: Recipe) -> None:
    name = recipe.name
    if bool(recipe.teachers) != bool(recipe.teaching_share) or not 0 <= recipe.teaching_share <= 1:
        raise RecipeError(f"Recipe “{name}”: teachers need a teaching_share above 0 and up to 1, and it needs them.")
    if recipe.taught_sources and not recipe.teachers:
        raise RecipeError(f"Recipe “{name}”: taught_sources need teachers.")
    if recipe.teachers and any(phase.trainable_from == "head" for phase in recipe.phases):
        raise RecipeError(
            f"Recipe “{name}”: teachers see photographs, and where the head alone learns there are none."
        )


def _checked(kind: type, values: dict[str, Any], where: str, given: frozenset[str] | set[str] = frozenset()) -> Any:
    known = {found.name: found for found in fields(kind) if found.name not in given}
    if unknown := set(values) - set(known):
        raise RecipeError(f"Recipe “{where}” has entries that mean nothing: {', '.join(sorted(unknown))}.")
    needed = {name for name, each in known.items() if each.default is MISSING and each.default_factory is MISSING}
    if missing := needed - set(values):
        raise RecipeError(f"Recipe “{where}” lacks {', '.join(sorted(missing))}.")
    for name, value in values.items():
        choices = get_args(known[name].type) if get_origin(known[name].type) is Literal else ()
        if choices and value not in choices:
            raise RecipeError(f"Recipe “{where}”: {name} is “{value}”; it may be {', '.join(choices)}.")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
