"""Errors for files that are not accepted as pictures, with messages that tell the sender what to do."""

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 60_000_000
DECODE_SECONDS = 10.0
ACCEPTED = "JPEG, PNG, WebP, TIFF, HEIC, BMP or GIF"
OTHER_KIND = "This is {name}, which is not supported. Open it and save the photograph as {save_as}, then send that."
SAVE_AS = "an ordinary JPEG or PNG (8 bits per colour)"
UNUSUAL_COLOURS = (
    "The colours of this picture are coded in an unusual way. Save it as an ordinary JPEG, then send that."
)


class PictureError(ValueError):
    """A file cannot be used as a picture.

    ``code`` and ``status`` are the same for pages, API and commands. ``message`` is for the sender of the file (plain
    English, says what to do), and ``reason`` for the log (details from the decoder; may be empty).
    """

    code = "broken-image"
    status = 422
    message = f"This file cannot be used. Send a photograph as {ACCEPTED}."

    def __init__(self, message: str = "", *, reason: str = "") -> None:
        self.message = message or type(self).message
        self.reason = reason
        super().__init__(self.message)

    @property
    def line(self) -> str:
        """The line that commands print: the message, and the code of the API."""
        return f"{self.message} [{self.code}]"


class EmptyFile(PictureError):
    """The file has no bytes."""

    code = "empty-file"
    status = 400
    message = "The file is empty. Copy it from the camera or phone again, then send the new copy."


class TooLarge(PictureError):
    """More than ``MAX_BYTES`` bytes."""

    code = "too-large"
    status = 413
    message = f"The file is larger than {MAX_BYTES // 1024**2} MB. Save it as a JPEG or make it smaller, then send it."


class TooManyPixels(PictureError):
    """More than ``MAX_PIXELS`` pixels, or more memory than a decoder may use."""

    code = "too-many-pixels"
    status = 413
    message = (
        f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels. Crop it to the lesion or make it smaller, "
        "then send it."
    )


class NotAPicture(PictureError):
    """The content is not in an accepted format, regardless of the file's name."""

    code = "not-an-image"
    status = 415
    message = f"This file is not a picture that can be read. Send a photograph as {ACCEPTED}."


class UnsupportedPicture(PictureError):
    """A picture of an unsupported kind."""

    code = "unsupported-image"
    status = 415
    message = f"This kind of picture is not supported. Open it and save it as {SAVE_AS}, then send that."


class BrokenPicture(PictureError):
    """An accepted format, but truncated or corrupt."""

    code = "broken-image"
    status = 422
    message = (
        "The picture is damaged or incomplete. Copy it from the camera or phone again, or take a new photograph, "
        "then send that."
    )


class DecodeTimeout(PictureError):
    """It could not be decoded within ``DECODE_SECONDS``."""

    code = "slow-image"
    status = 422
    message = "The picture took too long to open. Save it as an ordinary JPEG, or try again in a minute."


BY_CODE: dict[str, type[PictureError]] = {
    error.code: error
    for error in (
        EmptyFile,
        TooLarge,
        TooManyPixels,
        NotAPicture,
        UnsupportedPicture,
        BrokenPicture,
        DecodeTimeout,
    )
}
