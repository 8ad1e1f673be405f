"""The order of reviews, predictions and skips. It does not depend on the clock, which may be set back."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps as all_apps
from django.db import models
from django.db.models import Max, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

# They share one sequence, so that a review can be compared with a prediction: which came first?
STEPS = ("Review", "Prediction", "QueueSkip")


class StepField(models.PositiveBigIntegerField):
    """The position of a row among all reviews, predictions and skips: greater than that of every earlier row.

    Everything that depends on the newest row orders by it. Two rows inserted at the same moment may share a step, but
    not two reviews of one photograph, which are added under its lock. The database computes it on insert.
    """

    db_returning = True

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault(
            "help_text", _("Position in the order of insertion: greater than that of every earlier row.")
        )
        super().__init__(**{**kwargs, "editable": False})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        return name, path, args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        step = getattr(model_instance, self.attname)
        return next_step() if add and step is None else step


class CountsSteps:
    """Mixin for a queryset whose rows have a ``step``."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        """Insert the rows; those without a step all get the next one, queried once."""
        rows = list(objs)
        step = newest_step() + 1
        for row in rows:
            row.step = step if row.step is None else row.step
        return super().bulk_create(rows, *args, **kwargs)  # type: ignore[misc]


def next_step() -> Combinable:
    """Return the next step as an expression."""
    return Greatest(*(_newest_of(model) for model in STEPS)) + 1


def newest_step() -> int:
    """Return the newest step; 0 if there is none."""
    newest = (
        all_apps.get_model("diagnosis", model).objects.aggregate(newest=Max("step"))["newest"] for model in STEPS
    )
    return max(step or 0 for step in newest)


def _newest_of(model: str) -> Combinable:
    rows = all_apps.get_model("diagnosis", model).objects.order_by("-step").values("step")[:1]
    return Coalesce(Subquery(rows), Value(0))
