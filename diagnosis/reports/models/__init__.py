from diagnosis.reports.models.contradicted import ContradictedReport
from diagnosis.reports.models.report import Addendum, Report
from diagnosis.reports.models.withholding import Withholding, WithholdingReason

__all__ = [
    "Addendum",
    "ContradictedReport",
    "Report",
    "Withholding",
    "WithholdingReason",
]
