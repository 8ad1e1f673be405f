"""From confirmed cases to a candidate head, and from the candidate to a verdict. No Django, no TensorFlow.

A clinic trains with what it has: its own confirmed cases, and the base set, stored features that travel with the
release. ``docs/understand/retraining.md`` says how, and why the gate's numbers are what they are.
"""

from mlmodel.retraining.base_set import BaseSet, Cases, read_base_set
from mlmodel.retraining.candidate_card import candidate_card
from mlmodel.retraining.candidate_network import Network, candidate_settings, network_of, package_head
from mlmodel.retraining.candidate_training import train_candidate
from mlmodel.retraining.gate import judge_candidate
from mlmodel.retraining.near_copies import near_copies
from mlmodel.retraining.verdicts import Change, Comparison, GateRules, Judgement, Reason, Verdict

__all__ = [
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
