"""The roles and the helpers with which rules state the expected response for each role."""

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

# Redirects are named by their target.
SIGN_IN = "to the sign-in page"
ADMIN_SIGN_IN = "to the admin's sign-in page"
ADMIN_INDEX = "to the admin's index"

Answer = int | str
Answers = dict[str, Answer]


def everyone(answer: Answer, **others: Answer) -> Answers:
    return {**dict.fromkeys(ROLES, answer), **others}


def signed_in(answer: Answer, **others: Answer) -> Answers:
    return everyone(answer, **{"anonymous": SIGN_IN, **others})


def clinic(answer: Answer, **others: Answer) -> Answers:
    """Return ``answer`` for members of any clinic: for pages of no clinic, or of the member's own."""
    return signed_in(403, **{**dict.fromkeys((*CLINIC, "stranger"), answer), **others})


def own_clinic(answer: Answer, **others: Answer) -> Answers:
    """Return ``answer`` for members of the record's clinic; for members of other clinics it does not exist."""
    return clinic(answer, **{"stranger": 404, **others})


def dermatologists(answer: Answer, **others: Answer) -> Answers:
    """Return ``answer`` for dermatologists of the record's clinic."""
    return signed_in(403, **{"dermatologist": answer, "stranger": 404, **others})


def members_of_the_api(answer: Answer, **others: Answer) -> Answers:
    return clinic(answer, anonymous=401, **others)


@dataclass
class Case:
    """The expected responses of one address. Its parameters are keys of ``World`` objects (``ids``) or ``words``."""

    get: Answers
    post: Answers
    ids: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)


NOT_HERE = everyone(405)
