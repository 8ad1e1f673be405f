"""The levels of a network's thresholds, found and judged on the base set."""

from mlmodel.metrics.level_rules import threshold_levels
from mlmodel.network.threshold_levels import ThresholdLevels
from mlmodel.network.tiers import OperatingPoint, OperatingPoints
from mlmodel.retraining.base_set import BaseSet
from mlmodel.retraining.candidate_network import Network
from mlmodel.retraining.comparison import costs_of

_COSTS = 3


def levels_of(network: Network, base: BaseSet, *, are_costs_stated: bool = False) -> ThresholdLevels | None:
    """Return at which levels a network's tiers may begin; None where the base set is too small to say.

    Args:
        network: the head, and how it is read.
        base: of its backbone.
        are_costs_stated: the network's own points are released with their costs, which are taken as they stand.
    """
    if not len(base.calibration):
        return None
    points, costs = network.operating_points, costs_of(network, base.sharp_locked)
    if any(len(found) < _COSTS for found in costs.values()):
        return None
    judged = OperatingPoints(
        urgent=OperatingPoint(points.urgent.threshold, **costs["urgent"]),
        watch=OperatingPoint(points.watch.threshold, **costs["watch"]),
    )
    return threshold_levels(
        released=points if are_costs_stated else judged,
        chosen={"": network.answers_by_lesion(base.calibration)},
        tested=network.answers(base.sharp_locked),
    )
