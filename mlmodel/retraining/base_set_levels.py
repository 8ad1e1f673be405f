"""Threshold levels of a network, chosen and evaluated on the base set."""

from mlmodel.metrics.level_rules import threshold_levels
from mlmodel.network.threshold_levels import ThresholdLevels
from mlmodel.network.tiers import OperatingPoint, OperatingPoints
from mlmodel.retraining.base_set import BaseSet
from mlmodel.retraining.candidate_network import Network
from mlmodel.retraining.comparison import costs_of

_COSTS = 3


def levels_of(network: Network, base: BaseSet, *, are_costs_stated: bool = False) -> ThresholdLevels | None:
    """Return the threshold levels of a network, or None if the base set is too small.

    Args:
        network: the head with its calibration.
        base: the base set of its backbone.
        are_costs_stated: the network's operating points already have their performance, which is used unchanged.
    """
    if not len(base.calibration):
        return None
    points, costs = network.operating_points, costs_of(network, base.sharp_locked)
    if any(len(measures) < _COSTS for measures in costs.values()):
        return None
    evaluated_points = OperatingPoints(
        urgent=OperatingPoint(points.urgent.threshold, **costs["urgent"]),
        watch=OperatingPoint(points.watch.threshold, **costs["watch"]),
    )
    return threshold_levels(
        released=points if are_costs_stated else evaluated_points,
        chosen={"": network.answers_by_lesion(base.calibration)},
        tested=network.answers(base.sharp_locked),
    )
