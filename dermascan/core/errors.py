"""The base class of refusals. ``code`` is for our own scripts and tests; ``message`` tells people what to do."""


class Refused(Exception):
    """An action that is not allowed in the current state."""

    code = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
