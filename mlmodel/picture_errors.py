"""Why a file was not accepted as a picture, in words that tell its sender what to do."""

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 60_000_000
DECODE_SECONDS = 10.0
ACCEPTED = "JPEG, PNG, WebP, TIFF, HEIC, BMP or GIF"


class PictureError(ValueError):
    """A file cannot be used as a picture.

    ``code`` is for programs (snake_case), ``message`` for the person who sent the file (plain English, says what to
    do), ``reason`` for the log (what the decoder said; empty when there is nothing to add).
    """

    code = "picture_error"
    message = f"This file cannot be used. Send a photograph as {ACCEPTED}."

    def __init__(self, message: str = "", *, reason: str = "") -> None:
        self.message = message or type(self).message
        self.reason = reason
        super().__init__(self.message)


class EmptyFile(PictureError):
    """There is not one byte in it."""

    code = "empty_file"
    message = "The file is empty. Copy it from the camera or phone again, then send the new copy."


class TooLarge(PictureError):
    """More than ``MAX_BYTES`` bytes."""

    code = "file_too_large"
    message = f"The file is larger than {MAX_BYTES // 1024**2} MB. Save it as a JPEG or make it smaller, then send it."


class TooManyPixels(PictureError):
    """More than ``MAX_PIXELS`` pixels, or more memory than a decoder may have."""

    code = "too_many_pixels"
    message = (
        f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels. Crop it to the lesion or make it smaller, "
        "then send it."
    )


class NotAPicture(PictureError):
    """The bytes are not of an accepted format, whatever the file's name says."""

    code = "not_a_picture"
    message = f"This file is not a picture that can be read. Send a photograph as {ACCEPTED}."


class BrokenPicture(PictureError):
    """An accepted format, but truncated or corrupt."""

    code = "broken_picture"
    message = (
        "The picture is damaged or incomplete. Copy it from the camera or phone again, or take a new photograph, "
        "then send that."
    )


class DecodeTimeout(PictureError):
    """It could not be decoded in ``DECODE_SECONDS``."""

    code = "decode_timeout"
    message = "The picture took too long to open. Save it as an ordinary JPEG, or try again in a minute."


BY_CODE: dict[str, type[PictureError]] = {
    error.code: error for error in (EmptyFile, TooLarge, TooManyPixels, NotAPicture, BrokenPicture, DecodeTimeout)
}
