from patients.models.account_closure import AccountClosure, ClosureReason
from patients.models.api_token import ApiToken, Revocation, hash_of
from patients.models.audit import AuditAction, AuditChain, AuditEntry, AuditOutcome, AuditPurpose, LegalBasis
from patients.models.clinic import Clinic, Reading, ReviewRule
from patients.models.consent import Consent, ConsentMethod, Decision, Purpose
from patients.models.lesion import BODY_REGIONS, BodySite, Lesion, Side
from patients.models.lesion_symptoms import LesionSymptoms, SymptomAnswer
from patients.models.member import Member, Role
from patients.models.message import MessageKind, MessageState, OutgoingMessage
from patients.models.patient import Patient, Sex, SkinType
from patients.models.placement import LesionPlacement, MapView
from patients.models.record_change import RecordChange, RecordKind
from patients.models.risk_fact import RiskAnswer, RiskFact, RiskKind
from patients.models.user import User
from patients.models.visit import Visit, VisitStatus, is_at_a_visit_in_use

__all__ = [
    "BODY_REGIONS",
    "AccountClosure",
    "ApiToken",
    "AuditAction",
    "AuditChain",
    "AuditEntry",
    "AuditOutcome",
    "AuditPurpose",
    "BodySite",
    "Clinic",
    "ClosureReason",
    "Consent",
    "ConsentMethod",
    "Decision",
    "LegalBasis",
    "Lesion",
    "LesionPlacement",
    "LesionSymptoms",
    "MapView",
    "Member",
    "MessageKind",
    "MessageState",
    "OutgoingMessage",
    "Patient",
    "Purpose",
    "Reading",
    "RecordChange",
    "RecordKind",
    "ReviewRule",
    "Revocation",
    "RiskAnswer",
    "RiskFact",
    "RiskKind",
    "Role",
    "Sex",
    "Side",
    "SkinType",
    "SymptomAnswer",
    "User",
    "Visit",
    "VisitStatus",
    "hash_of",
    "is_at_a_visit_in_use",
]
