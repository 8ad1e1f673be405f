from diagnosis.retraining.models.proposal import Needs, ProposalState, VersionProposal
from diagnosis.retraining.models.run import (
    ManifestEntry,
    Part,
    RunMessage,
    RunStatus,
    TestAssignment,
    TrainingRun,
    versions_that_used,
)

__all__ = [
    "ManifestEntry",
    "Needs",
    "Part",
    "ProposalState",
    "RunMessage",
    "RunStatus",
    "TestAssignment",
    "TrainingRun",
    "VersionProposal",
    "versions_that_used",
]
