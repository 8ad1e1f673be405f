"""Service functions: every change to the clinic's records goes through one of them."""

from patients.services.account_state import AccountState, account_state, is_known_to_be_wrong, link_to
from patients.services.accounts import (
    AccountRefused,
    ensure_address_is_free,
    ensure_username_is_free,
    give_patient_account,
    mail_set_password_link,
    may_correct_address,
)
from patients.services.api_tokens import (
    TokenExpired,
    TokenRefused,
    TokenRevoked,
    TokenUnknown,
    create_api_token,
    key_made_for,
    revoke_api_token,
    use_api_token,
)
from patients.services.clinics import (
    ADMIN_ROLES,
    ClinicExists,
    add_member,
    create_clinic,
    enrol_member,
    ensure_member_may_become,
    update_clinic,
    update_member,
)
from patients.services.closing import NoAccount, close_patient_account
from patients.services.consents import ConsentState, consent_states, record_consent
from patients.services.lesions import LesionOfAnotherPatient, add_lesion, correct_lesion
from patients.services.merged_records import RecordIsMerged, survivor_of
from patients.services.password_links import set_password_path
from patients.services.patients import (
    BirthDateContradicted,
    NamesakeRegistered,
    RecordNumberTaken,
    ensure_nothing_is_earlier,
    patient_with_number,
    register_patient,
    suggest_record_number,
    update_patient,
)
from patients.services.placements import PinPlace, PlaceRefused, newest_placement, pin_places, place_lesion
from patients.services.risk import RiskStatement, record_risk, risk_facts_of
from patients.services.same_clinic import AnotherClinic
from patients.services.symptoms import add_symptoms, record_symptoms, symptoms_at
from patients.services.visits import VisitIsClosed, lock_open_visit, log_visit, update_visit

__all__ = [
    "ADMIN_ROLES",
    "AccountRefused",
    "AccountState",
    "AnotherClinic",
    "BirthDateContradicted",
    "ClinicExists",
    "ConsentState",
    "LesionOfAnotherPatient",
    "NamesakeRegistered",
    "NoAccount",
    "PinPlace",
    "PlaceRefused",
    "RecordIsMerged",
    "RecordNumberTaken",
    "RiskStatement",
    "TokenExpired",
    "TokenRefused",
    "TokenRevoked",
    "TokenUnknown",
    "VisitIsClosed",
    "account_state",
    "add_lesion",
    "add_member",
    "add_symptoms",
    "close_patient_account",
    "consent_states",
    "correct_lesion",
    "create_api_token",
    "create_clinic",
    "enrol_member",
    "ensure_address_is_free",
    "ensure_member_may_become",
    "ensure_nothing_is_earlier",
    "ensure_username_is_free",
    "give_patient_account",
    "is_known_to_be_wrong",
    "key_made_for",
    "link_to",
    "lock_open_visit",
    "log_visit",
    "mail_set_password_link",
    "may_correct_address",
    "newest_placement",
    "patient_with_number",
    "pin_places",
    "place_lesion",
    "record_consent",
    "record_risk",
    "record_symptoms",
    "register_patient",
    "revoke_api_token",
    "risk_facts_of",
    "set_password_path",
    "suggest_record_number",
    "survivor_of",
    "symptoms_at",
    "update_clinic",
    "update_member",
    "update_patient",
    "update_visit",
    "use_api_token",
]
