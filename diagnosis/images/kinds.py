"""The kinds of photographs of a lesion."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PhotographKind(models.TextChoices):
    """What a photograph is meant to show, as a member stated it."""

    OVERVIEW = "overview", _("Overview: where the spot is")
    CLOSE_UP = "close_up", _("Close-up, without a dermatoscope")
    DERMOSCOPIC = "dermoscopic", _("Dermoscopic")


# A photograph of these kinds is never answered as one that was taken with a dermatoscope.
WITHOUT_DERMATOSCOPE = (PhotographKind.OVERVIEW, PhotographKind.CLOSE_UP)
# In a request: the kind is left open on purpose, also where the device usually takes one kind.
LEFT_OPEN = "left_open"
