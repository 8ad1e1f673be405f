from .clinic import Clinic
from .consent import Consent, ConsentMethod, Decision, Purpose
from .lesion import BodySite, Lesion, Side
from .member import Member, Role
from .patient import Patient, Sex, SkinType
from .user import User
from .visit import Visit, VisitStatus

__all__ = [
    "BodySite",
    "Clinic",
    "Consent",
    "ConsentMethod",
    "Decision",
    "Lesion",
    "Member",
    "Patient",
    "Purpose",
    "Role",
    "Sex",
    "Side",
    "SkinType",
    "User",
    "Visit",
    "VisitStatus",
]
