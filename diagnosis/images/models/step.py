"""The order of what was said and done, which does not depend on a clock: clocks are set back."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps as all_apps
from django.db import models
from django.db.models import Max, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _

# Of one order, so that a review can be compared with a prediction: which of them came first?
STEPS = ("Review", "Prediction", "QueueSkip")


class StepField(models.PositiveBigIntegerField):
    """The place of a row among all reviews, predictions and skips: greater than that of all that were there before.

    Whatever is decided by who spoke last asks this. Two rows that are made at the same moment may share a place, but
    not two reviews of one photograph, which are made under its lock. The database works it out as it keeps the row.
    """

    db_returning = True

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", _("Which was first, whatever the clock said: greater than of all before it."))
        super().__init__(**{**kwargs, "editable": False})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        return name, path, args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        given = getattr(model_instance, self.attname)
        return next_step() if add and given is None else given


class CountsSteps:
    """Of a queryset whose rows have a ``step``."""

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        """As ever; all rows that have no step get the next one, asked for once and not row by row."""
        rows = list(objs)
        step = newest_step() + 1
        for row in rows:
            row.step = step if row.step is None else row.step
        return super().bulk_create(rows, *args, **kwargs)  # type: ignore[misc]


def next_step() -> Combinable:
    """What the next step is counted as, as an expression."""
    return Greatest(*(_newest_of(model) for model in STEPS)) + 1


def newest_step() -> int:
    """Return the step that was made last; 0 before the first."""
    newest = (
        all_apps.get_model("diagnosis", model).objects.aggregate(newest=Max("step"))["newest"] for model in STEPS
    )
    return max(step or 0 for step in newest)


def _newest_of(model: str) -> Combinable:
    rows = all_apps.get_model("diagnosis", model).objects.order_by("-step").values("step")[:1]
    return Coalesce(Subquery(rows), Value(0))
