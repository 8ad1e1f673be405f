"""Who asks, and the words in which a rule says what each is answered."""

from dataclasses import dataclass, field

ROLES = (
    "anonymous",
    "staff",
    "dermatologist",
    "manager",
    "patient",  # a visit was released to them
    "other_patient",  # of the same clinic
    "stranger",  # a dermatologist of another clinic
    "superuser",  # without a clinic
)
CLINIC = ("staff", "dermatologist", "manager")

# Redirects are named by where they lead.
SIGN_IN = "to signing in"
ADMIN_SIGN_IN = "to the admin's door"
ADMIN_INDEX = "to the admin's start"

Answer = int | str
Answers = dict[str, Answer]


def everyone(answer: Answer, **others: Answer) -> Answers:
    return {**dict.fromkeys(ROLES, answer), **others}


def signed_in(answer: Answer, **others: Answer) -> Answers:
    return everyone(answer, **{"anonymous": SIGN_IN, **others})


def clinic(answer: Answer, **others: Answer) -> Answers:
    """Members of every role; another clinic's too, for what belongs to no clinic or to one's own."""
    return signed_in(403, **{**dict.fromkeys((*CLINIC, "stranger"), answer), **others})


def own_clinic(answer: Answer, **others: Answer) -> Answers:
    """Members of the clinic that the record belongs to; for others of their kind it does not exist."""
    return clinic(answer, **{"stranger": 404, **others})


def dermatologists(answer: Answer, **others: Answer) -> Answers:
    """Those of the record's clinic."""
    return signed_in(403, **{"dermatologist": answer, "stranger": 404, **others})


def members_of_the_api(answer: Answer, **others: Answer) -> Answers:
    return clinic(answer, anonymous=401, **others)


@dataclass
class Case:
    """What one address answers; ``ids`` names objects of ``World`` to put into it, ``words`` is put in as it is."""

    get: Answers
    post: Answers
    ids: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


NOT_HERE = everyone(405)
