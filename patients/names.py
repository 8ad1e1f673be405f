"""Names as they are compared: typed with or without accents, in capitals or not, they are the same name."""

import unicodedata
from typing import Any

from django.db import models

# Letters that Unicode does not take apart into a letter and its mark.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})


def fold_name(text: str) -> str:
    """Return ``text`` without case and accents, its words parted by single spaces: “Jürgen MÜLLER” is “jurgen muller”.

    Accents are the nonspacing marks of Unicode's compatibility decomposition (Unicode Standard Annex 15).
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold().translate(_LETTERS)
    return " ".join(bare.split())


def have_the_same_words(one: str, other: str) -> bool:
    """Say whether two folded names are made of the same words, whichever was typed as the given name."""
    return sorted(one.split()) == sorted(other.split())


class FoldedNameField(models.CharField):
    """What given and family name of its model fold to, kept so that the database can search them."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        # Of the two fields and not of a property, which the models of a migration have not.
        folded = fold_name(f"{model_instance.given_name} {model_instance.family_name}")[: self.max_length]
        setattr(model_instance, self.attname, folded)
        return folded
