"""Recipes: the complete configuration of a training run, in small readable files."""

import tomllib
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from mlmodel.datasets.dataset import COPIES, PROOFS
from mlmodel.network.stages import STAGES
from mlmodel.taxonomy import CODES

RECIPES = Path(__file__).parent / "recipes"

# The blocks from which training or resetting may start: those after a stage of Xception.
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
    """The recipe does not exist or is invalid; the message says why."""


@dataclass(frozen=True)
class Phase:
    """A phase of training at one input size, with cosine decay of the learning rate from peak to final.

    Attributes:
        side: the side of the network's input, in pixels.
        epochs: the number of epochs.
        peak_rate: the learning rate after the warm-up.
        final_rate: the learning rate at the end; equal to the peak for a constant rate.
        trainable_from: ``everything``, ``head``, or the first trainable block (``block4``); earlier layers are frozen,
            including batch normalisation.
        warm_up_steps: the number of steps in which the rate rises to its peak.
        renewed_from: the first block to reset to its initial weights, with zero weights in the head, for blocks whose
            units have died. Empty for none.
        mixup: overrides the recipe's, if above 0.
        layer_decay: the factor of the learning rate of each block of an Xception relative to the next
            (``layer_rates``).
        head_rate: the head's peak learning rate, if it differs from that of the last block; 0 if not.
        left_out: copies that this phase excludes, such as ``small``, which lacks fine detail.
        small_share: the share of the ``small`` copies in an epoch; each epoch draws its own.
        unseen_share: the prior of each class that is absent from a source (``class_mixes.log_priors``).
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
    """The configuration of a training run.

    Attributes:
        name: the file's name.
        about: a one-sentence description.
        architecture: ``xception``, ``vgg16`` or ``cnn8``.
        phases: the phases, in order.
        classes: the codes of the classes; photographs of others are excluded.
        split: ``by-lesion`` (folds 0–6 for training, 7 for validation, 8–9 held out) or ``by-image`` (80/20 at random,
            as in the original papers; it has data leakage and serves to measure that).
        start: ImageNet or random initial weights.
        scaling: the scaling of pixels; Keras's Xception expects -1..1, its VGG16 ``caffe`` (BGR minus ImageNet's
            mean).
        pooled_stages: the stages whose channel means are the head's input; empty for the last map only.
        normalise_pools: whether there is batch normalisation between pooling and head.
        starts_from_mix: whether the output layer is initialised to zero (Zhang et al., ICLR 2019), so that the initial
            answer is the class mix, instead of at random.
        hidden_units: the number of units in the head's dense layer.
        feature_dropout: the dropout rate of pooled features.
        dropout: the dropout rate of hidden units.
        loss: ``logit-adjusted`` is Menon et al. (ICLR 2021); ``class-balanced`` weighs by inverse frequency.
        label_smoothing: the share of the target that is spread over all classes.
        mixup: the parameter of mixup's Beta distribution (Zhang et al., ICLR 2018); 0 for none.
        cutmix: the same for cutmix (Yun et al., ICCV 2019); with both, each batch uses one of them at random.
        proof_weights: weights of the loss by how a diagnosis was confirmed (``dataset.PROOFS``); 1 for others. The
            network does not get this information (Gessert et al., IEEE TBME 2020).
        teachers: names of folders next to this run, of finished runs or of releases, for distillation: the target is
            their mean answer to the same augmented photograph (Hinton et al., 2015, at a temperature of 1; the same
            view for both: Beyer et al., CVPR 2022).
        teaching_share: the weight of the teachers in the target; the rest is the label.
        taught_sources: sources for which the teachers are used, if they do not perform well on others, which are
            learned from labels only. Empty for all.
        sampling: ``every-image`` once per epoch; ``square-root`` samples classes by the square root of their frequency
            and, within each class, sharp and soft copies in a fixed proportion, so that softness is no clue; the same
            within each source.
        optimizer: ``adam`` (Kingma & Ba, 2015) or ``adamw`` (Loshchilov & Hutter, 2019).
        weight_decay: the weight decay of ``adamw``; not applied to biases and batch normalisation.
        clip_norm: the maximum norm of the gradient; 0 for no clipping.
        average: the momentum of the exponential moving average of the weights, which is evaluated and saved; 0 for
            none. Early in a phase it is lower, so that the initial weights have little influence.
        batch_norm_momentum: the momentum of moving means and variances; 0 for the architecture's default.
        settling_batches: the number of batches from which the moving statistics of the averaged weights are recomputed
            at the end of each phase, since averaged statistics do not fit averaged weights (Wu & Johnson, 2021).
        least_answering: the minimum share of an Xception's last units that respond to some validation photograph; a
            run in which more units have died stops at the end of the epoch.
        batch_size: the batch size.
        preparation: the preprocessing of all photographs (``mlmodel.training.preparation``).
        changes: the augmentation of training photographs (``mlmodel.training.augmentation``).
        precision: the precision of a step; weights, optimiser and loss stay float32 (Micikevicius et al., ICLR 2018).
            ``bfloat16`` halves the time on processors that support it, and is slower on others.
        seed: the random seed.
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
        """Return the recipe for a run's configuration."""
        return asdict(self)


def load_recipe(name: str, *, folder: Path = RECIPES) -> Recipe:
    """Return the recipe ``name``: a built-in one, or one in a TOML file.

    Raises:
        RecipeError: it does not exist or is invalid.
    """
    path = Path(name) if name.endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        raise RecipeError(f"There is no recipe “{name}”. Available recipes: {', '.join(recipe_names(folder=folder))}.")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path.name} is not TOML: {error}") from error
    return recipe_from(path.stem, values)


def recipe_names(*, folder: Path = RECIPES) -> list[str]:
    """Return the names of all recipes, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def recipe_from(name: str, values: dict[str, Any]) -> Recipe:
    """Return the recipe from the values of a file or a run's configuration.

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
        raise RecipeError(f"Recipe “{name}”: features of a frozen base are always computed in float32.")
    if unknown := set(recipe.proof_weights) - set(PROOFS):
        raise RecipeError(
            f"Recipe “{name}”: proof_weights must be among {', '.join(PROOFS)}, not {', '.join(unknown)}."
        )
    if not all(isinstance(weight, int | float) and weight > 0 for weight in recipe.proof_weights.values()):
        raise RecipeError(f"Recipe “{name}”: proof_weights must be numbers above 0.")
    if recipe.mixup < 0 or recipe.cutmix < 0:
        raise RecipeError(f"Recipe “{name}”: mixup and cutmix must be 0 or more.")
    if unknown := set(recipe.classes) - set(CODES):
        raise RecipeError(f"Recipe “{name}” has classes that are not among the seven: {', '.join(sorted(unknown))}.")
    return recipe


def _check_phase(recipe: Recipe, phase: Phase) -> None:
    name = recipe.name
    rates_fit = 0 < phase.final_rate <= phase.peak_rate and 0 < phase.layer_decay <= 1 and phase.head_rate >= 0
    if phase.epochs < 1 or not 32 <= phase.side <= 1024 or not rates_fit or phase.mixup < 0:
        raise RecipeError(f"Recipe “{name}” has an invalid phase: {phase}.")
    if phase.trainable_from not in {"everything", "head", *_FIRST_BLOCKS}:
        raise RecipeError(f"Recipe “{name}”: trainable_from must be everything, head, {', '.join(_FIRST_BLOCKS)}.")
    if phase.renewed_from and (recipe.architecture != "xception" or phase.renewed_from not in _FIRST_BLOCKS):
        raise RecipeError(f"Recipe “{name}”: renewed_from must be, for an xception, {', '.join(_FIRST_BLOCKS)}.")
    has_own_rates = phase.layer_decay != 1 or phase.head_rate > 0
    if has_own_rates and (recipe.architecture != "xception" or recipe.optimizer != "adamw"):
        raise RecipeError(f"Recipe “{name}”: layer_decay and head_rate need an xception with adamw.")
    if not 0 < phase.small_share <= 1:
        raise RecipeError(f"Recipe “{name}”: small_share must be above 0 and at most 1; to show none, use left_out.")
    if not 0 <= phase.unseen_share < 1 / len(recipe.classes):
        raise RecipeError(f"Recipe “{name}”: unseen_share must be from 0 to below {1 / len(recipe.classes):.3f}.")
    if set(phase.left_out) - set(COPIES):
        raise RecipeError(f"Recipe “{name}”: left_out must be among {', '.join(COPIES)}.")


def _check_teaching(recipe: Recipe) -> None:
    name = recipe.name
    if bool(recipe.teachers) != bool(recipe.teaching_share) or not 0 <= recipe.teaching_share <= 1:
        raise RecipeError(
            f"Recipe “{name}”: teachers and a teaching_share above 0 and at most 1 must be given together."
        )
    if recipe.taught_sources and not recipe.teachers:
        raise RecipeError(f"Recipe “{name}”: taught_sources need teachers.")
    if recipe.teachers and any(phase.trainable_from == "head" for phase in recipe.phases):
        raise RecipeError(
            f"Recipe “{name}”: teachers need photographs, which a phase that trains only the head does not have."
        )


def _checked(kind: type, values: dict[str, Any], where: str, given: frozenset[str] | set[str] = frozenset()) -> Any:
    field_by_name = {each.name: each for each in fields(kind) if each.name not in given}
    if unknown := set(values) - set(field_by_name):
        raise RecipeError(f"Recipe “{where}” has unknown entries: {', '.join(sorted(unknown))}.")
    needed = {
        name for name, each in field_by_name.items() if each.default is MISSING and each.default_factory is MISSING
    }
    if missing := needed - set(values):
        raise RecipeError(f"Recipe “{where}” lacks {', '.join(sorted(missing))}.")
    for name, value in values.items():
        choices = get_args(field_by_name[name].type) if get_origin(field_by_name[name].type) is Literal else ()
        if choices and value not in choices:
            raise RecipeError(f"Recipe “{where}”: {name} is “{value}”; it must be {', '.join(choices)}.")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
