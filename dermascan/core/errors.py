"""Why the system refuses to do something. ``code`` is for programs, ``message`` for people: it says what to do."""


class Refused(Exception):
    """Something that may not be done as things stand."""

    code = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
