from .clinic import Clinic
from .lesion import BodySite, Lesion, Side
from .member import Member, Role
from .patient import Patient, Sex, SkinType
from .user import User
from .visit import Visit, VisitStatus

__all__ = [
    "BodySite",
    "Clinic",
    "Lesion",
    "Member",
    "Patient",
    "Role",
    "Sex",
    "Side",
    "SkinType",
    "User",
    "Visit",
    "VisitStatus",
]
