"""Retraining: candidate heads from confirmed cases, and the gate's verdict on them. No Django, no TensorFlow.

A clinic trains on its own confirmed cases and on the base set, stored features that are part of the release.
``docs/understand/retraining.md`` describes the method and the reasons for the gate's limits.
"""

from mlmodel.retraining.base_set import BaseSet, Cases, read_base_set
from mlmodel.retraining.candidate_card import candidate_card
from mlmodel.retraining.candidate_network import Network, candidate_settings, network_of, package_head
from mlmodel.retraining.candidate_training import train_candidate
from mlmodel.retraining.gate import judge_candidate
from mlmodel.retraining.near_copies import near_copies
from mlmodel.retraining.verdicts import VERDICTS, Change, Comparison, GateRules, Judgement, Reason, Verdict

__all__ = [
    "VERDICTS",
    "BaseSet",
    "Cases",
    "Change",
    "Comparison",
    "GateRules",
    "Judgement",
    "Network",
    "Reason",
    "Verdict",
    "candidate_card",
    "candidate_settings",
    "judge_candidate",
    "near_copies",
    "network_of",
    "package_head",
    "read_base_set",
    "train_candidate",
]
