"""Errors for files that are not accepted as pictures, with texts that tell the sender what to do."""

from mlmodel.texts import Text
from mlmodel.texts import gettext_noop as _

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 60_000_000
DECODE_SECONDS = 10.0
OTHER_KIND = _(
    "This is %(kind)s, which is not supported. Open it and save the photograph as an ordinary JPEG or PNG (8 bits per "
    "colour), then send that."
)
VIDEO = _("a video")
UNUSUAL_COLOURS = Text(
    _("The colours of this picture are coded in an unusual way. Save it as an ordinary JPEG, then send that.")
)


class PictureError(ValueError):
    """A file cannot be used as a picture: the base of the errors below.

    ``code`` and ``status`` are the same for pages, API and commands. ``text`` is for the sender of the file (says what
    to do), and ``reason`` for the log (details from the decoder; may be empty).
    """

    code: str
    status: int
    text: Text

    def __init__(self, text: Text | None = None, *, reason: str = "") -> None:
        self.text = text or type(self).text
        self.reason = reason
        super().__init__(str(self.text))

    @property
    def line(self) -> str:
        """The line that commands print: the text in English, and the code of the API."""
        return f"{self.text} [{self.code}]"


class EmptyFile(PictureError):
    """The file has no bytes."""

    code = "empty-file"
    status = 400
    text = Text(_("The file is empty. Copy it from the camera or phone again, then send the new copy."))


class TooLarge(PictureError):
    """More than ``MAX_BYTES`` bytes."""

    code = "too-large"
    status = 413
    text = Text(
        _("The file is larger than %(limit)d MB. Save it as a JPEG or make it smaller, then send it."),
        {"limit": MAX_BYTES // 1024**2},
    )


class TooManyPixels(PictureError):
    """More than ``MAX_PIXELS`` pixels, or more memory than a decoder may use."""

    code = "too-many-pixels"
    status = 413
    text = Text(
        _("The picture has more than %(limit)d megapixels. Crop it to the lesion or make it smaller, then send it."),
        {"limit": MAX_PIXELS // 1_000_000},
    )


class NotAPicture(PictureError):
    """The content is not in an accepted format, regardless of the file's name."""

    code = "not-an-image"
    status = 415
    text = Text(
        _("This file is not a picture that can be read. Send a photograph as JPEG, PNG, WebP, TIFF, HEIC, BMP or GIF.")
    )


class UnsupportedPicture(PictureError):
    """A picture of an unsupported kind."""

    code = "unsupported-image"
    status = 415
    text = Text(
        _(
            "This kind of picture is not supported. Open it and save it as an ordinary JPEG or PNG (8 bits per "
            "colour), then send that."
        )
    )


class BrokenPicture(PictureError):
    """An accepted format, but truncated or corrupt."""

    code = "broken-image"
    status = 422
    text = Text(
        _(
            "The picture is damaged or incomplete. Copy it from the camera or phone again, or take a new photograph, "
            "then send that."
        )
    )


class DecodeTimeout(PictureError):
    """It could not be decoded within ``DECODE_SECONDS``."""

    code = "slow-image"
    status = 422
    text = Text(_("The picture took too long to open. Save it as an ordinary JPEG, or try again in a minute."))


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
