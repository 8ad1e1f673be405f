from diagnosis.reports.models.report import Addendum, Report
from diagnosis.reports.models.withholding import Withholding, WithholdingReason

__all__ = [
    "Addendum",
    "Report",
    "Withholding",
    "WithholdingReason",
]
