"""The throttle of the contact form."""

from dermascan.core.throttles import QuickCheckThrottle


class ContactThrottle(QuickCheckThrottle):
    """Counts contact messages by client address."""

    scope = "contact"
    rate = "5/hour"
