from .account_closure import AccountClosure, ClosureReason
from .api_token import ApiToken, Revocation, hash_of
from .clinic import Clinic, ReviewRule
from .consent import Consent, ConsentMethod, Decision, Purpose
from .lesion import BODY_REGIONS, BodySite, Lesion, Side
from .member import Member, Role
from .message import MessageKind, MessageState, OutgoingMessage
from .patient import Patient, Sex, SkinType
from .submission import Submission
from .user import User
from .visit import Visit, VisitStatus

__all__ = [
    "BODY_REGIONS",
    "AccountClosure",
    "ApiToken",
    "BodySite",
    "Clinic",
    "ClosureReason",
    "Consent",
    "ConsentMethod",
    "Decision",
    "Lesion",
    "Member",
    "MessageKind",
    "MessageState",
    "OutgoingMessage",
    "Patient",
    "Purpose",
    "ReviewRule",
    "Revocation",
    "Role",
    "Sex",
    "Side",
    "SkinType",
    "Submission",
    "User",
    "Visit",
    "VisitStatus",
    "hash_of",
]
