"""How often a visitor may write to the operator. The quick check's limit is diagnosis.api.throttles'."""

from dermascan.core.throttles import QuickCheckThrottle


class ContactThrottle(QuickCheckThrottle):
    """Counts messages by address, as the quick check does its photographs."""

    scope = "contact"
    rate = "5/hour"
