"""The base class of refusals. ``code`` is for our own scripts and tests; ``message`` tells people what to do."""

from django.core.exceptions import ValidationError


class Refused(Exception):
    """An action that is not allowed in the current state."""

    code = "refused"

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        if code:  # of one of several reasons that share a class
            self.code = code

    def as_form_error(self) -> ValidationError:
        """Return the refusal as an error of a form, with its code."""
        return ValidationError(self.message, code=self.code)
