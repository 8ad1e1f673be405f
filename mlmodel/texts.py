"""Texts for people, marked for translation.

The site translates them, since the groups of ``mlmodel`` must not import Django. Commands, model cards and decoders'
logs have them in English.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Translate = Callable[[str], str]


def gettext_noop(text: str) -> str:
    """Return ``text`` unchanged. ``manage.py makemessages`` collects what is marked by a function of this name."""
    return text


@dataclass(frozen=True)
class Text:
    """A text with named figures.

    Attributes:
        template: the English text, marked by ``gettext_noop``, with its figures as ``%(name)s`` or ``%(name)d``.
        figures: numbers, or texts that are marked themselves.
    """

    template: str
    figures: Mapping[str, str | float] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.translated(str)

    def translated(self, translate: Translate) -> str:
        """Return the text in the language of ``translate``, which on the site is Django's ``gettext``."""
        figures = {name: translate(each) if isinstance(each, str) else each for name, each in self.figures.items()}
        return translate(self.template) % figures
