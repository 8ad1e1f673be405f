"""Middleware that writes who saw or changed which record, before the response leaves."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch

from patients.audit.acting import Doing, acting, current
from patients.audit.resources import ACTIONS, PARAMETERS, RESOURCES, Resource
from patients.audit.spool import write_or_spool
from patients.audit.writing import entry_of, note_list
from patients.models import AuditAction, AuditEntry, AuditOutcome

REQUEST_ID = "X-Request-ID"


class AuditMiddleware:
    """Writes an entry for each record that an address names, and those that views note.

    Addresses name records by parameters such as ``patient_id``, so that a new page is covered without a word of its
    own. Lists call ``note_list``. Changes are written by signals, in their own transactions.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting(Doing(request)) as doing:
            response = self.get_response(request)
            entries = [*doing.noted, *_of_address(request, response, doing)]
            if entries:
                write_or_spool(entries)
        response[REQUEST_ID] = doing.request_id
        return response

    def process_template_response(self, request: HttpRequest, response: Any) -> Any:
        """Note the admin's lists; all of them go through one class of Django's."""
        listed = (response.context_data or {}).get("cl")
        if listed is not None and getattr(listed, "model", None) in RESOURCES and current() is not None:
            note_list(RESOURCES[listed.model].kind, len(listed.result_list))
        return response


def _of_address(request: HttpRequest, response: HttpResponse, doing: Doing) -> list[AuditEntry]:
    """Return the entry for the record that the request's address names; none if it shows and changes nothing."""
    match = request.resolver_match
    named = _named_by(match) if match is not None else None
    if match is None or named is None:
        return []
    what = _act(request, response, doing, ACTIONS.get(match.view_name, AuditAction.READ))
    if what is None:
        return []
    action, outcome = what
    resource, key = named
    owner, actor = resource.owner_of(key), doing.who()
    if actor.user is None and outcome is not AuditOutcome.SUCCESS:
        return []  # a visitor who was sent away: nobody, and nothing was shown
    if owner is None or (outcome is not AuditOutcome.SUCCESS and actor.clinic_id not in (None, owner[1])):
        # Not there, or another clinic's, which is not to be told apart.
        return [entry_of(action, doing=doing, actor=actor, kind=resource.kind, record=key, outcome=outcome)]
    patient, clinic_id = owner
    if action is AuditAction.UPDATE and outcome is AuditOutcome.SUCCESS and doing.changed & {patient}:
        return []  # the changes are written
    facts = {"kind": resource.kind, "record": key, "outcome": outcome}
    return [entry_of(action, doing=doing, clinic_id=clinic_id, patient=patient, **facts)]


def _act(
    request: HttpRequest, response: HttpResponse, doing: Doing, opens_as: AuditAction
) -> tuple[AuditAction, AuditOutcome] | None:
    """Return what the request did and how it ended, or None if it neither showed nor tried anything."""
    status = response.status_code
    if request.method == "OPTIONS" or status == 405:
        return None
    outcome = AuditOutcome.FAILED if status >= 500 else AuditOutcome.REFUSED if status >= 400 else AuditOutcome.SUCCESS
    if request.method in ("GET", "HEAD"):
        is_elsewhere = 300 <= status < 400 and status != 304
        return None if is_elsewhere else (opens_as, outcome)
    # A page as the answer to a form that changed nothing shows the record.
    return AuditAction.READ if status == 200 and not doing.changed else AuditAction.UPDATE, outcome


def _named_by(match: ResolverMatch) -> tuple[Resource, Any] | None:
    """Return the kind and the key of the record that an address names: the last one, such as a patient's lesion."""
    if "object_id" in match.kwargs and (resource := _of_admin(match)):
        return resource, match.kwargs["object_id"]
    named = [(PARAMETERS[name], value) for name, value in match.kwargs.items() if name in PARAMETERS]
    return named[-1] if named else None


def _of_admin(match: ResolverMatch) -> Resource | None:
    """Return the kind of record of an address of the admin, whose name begins with the model's."""
    if match.app_names != ["admin"]:
        return None
    for model in admin.site._registry:
        if (match.url_name or "").startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):
            return RESOURCES.get(model)
    return None
