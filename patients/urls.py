"""URLs of lists, search and forms. The pages of one patient, visit or lesion are in ``diagnosis.urls``."""

from django.urls import path, register_converter

from patients.views import (
    accounts,
    api_tokens,
    audit,
    consents,
    history,
    lesions,
    messages,
    patients,
    privacy_mode,
    risk,
    visits,
)

register_converter(consents.PurposeConverter, "purpose")

urlpatterns = [
    path("access/", audit.audit, name="audit"),
    path("access/csv/", audit.audit_csv, name="audit-csv"),
    path("access/unusual/", audit.audit_unusual, name="audit-unusual"),
    path("my/access/", audit.my_access, name="my-access"),
    path("accounts/tokens/", api_tokens.api_tokens, name="api-tokens"),
    path("accounts/tokens/<uuid:token_id>/revoke/", api_tokens.api_token_revoke, name="api-token-revoke"),
    path("patients/", patients.patient_list, name="patients"),
    path("patients/new/", patients.patient_new, name="patient-new"),
    path("patients/<uuid:patient_id>/edit/", patients.patient_edit, name="patient-edit"),
    path("patients/<uuid:patient_id>/account/", accounts.patient_account, name="patient-account"),
    path("patients/<uuid:patient_id>/account/close/", accounts.close, name="patient-account-close"),
    path("patients/<uuid:patient_id>/consent/<purpose:purpose>/", consents.patient_consent, name="patient-consent"),
    path("patients/<uuid:patient_id>/risk/", risk.patient_risk, name="patient-risk"),
    path("patients/<uuid:patient_id>/visits/new/", visits.visit_new, name="visit-new"),
    path("patients/<uuid:patient_id>/lesions/new/", lesions.lesion_new, name="lesion-new"),
    path("lesions/<uuid:lesion_id>/edit/", lesions.lesion_edit, name="lesion-edit"),
    path("patients/<uuid:patient_id>/history/", history.patient_history, name="patient-history"),
    path("visits/<uuid:visit_id>/history/", history.visit_history, name="visit-history"),
    path("lesions/<uuid:lesion_id>/history/", history.lesion_history, name="lesion-history"),
    path("clinics/<uuid:clinic_id>/history/", history.clinic_history, name="clinic-history"),
    path("members/<uuid:member_id>/history/", history.member_history, name="member-history"),
    path("messages/<uuid:message_id>/again/", messages.again, name="message-again"),
    path("privacy/", privacy_mode.privacy_mode, name="privacy-mode"),
    path("visits/<uuid:visit_id>/lesions/<uuid:lesion_id>/symptoms/", risk.lesion_symptoms, name="lesion-symptoms"),
    path("visits/<uuid:visit_id>/edit/", visits.visit_edit, name="visit-edit"),
]
