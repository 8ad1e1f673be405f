from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from dermascan.core.once import once
from dermascan.core.paging import OncePaginator
from patients.access import EVERYONE_IN_THE_CLINIC, require_role
from patients.audit import note_list, note_read
from patients.edits import ChangedMeanwhile
from patients.forms import PatientForm, SearchForm
from patients.middleware import MemberRequest
from patients.models import Patient
from patients.privacy import names_the_patient
from patients.services import (
    BirthDateContradicted,
    NamesakeRegistered,
    RecordNumberTaken,
    register_patient,
    update_patient,
)

PAGE_LENGTH = 25


@require_role(*EVERYONE_IN_THE_CLINIC)
def patient_list(request: MemberRequest) -> HttpResponse:
    visible = Patient.objects.visible_to(request.member)
    form = SearchForm(request.GET)
    searched = form.is_valid() and form.cleaned_data["q"]
    patients = visible.found_by(searched) if searched else visible.in_use()
    patients = patients.none() if form.errors else patients.with_summary()
    paginator = OncePaginator if searched else Paginator
    page = paginator(patients, PAGE_LENGTH).get_page(request.GET.get("page"))
    note_list("patients", len(page), query=searched or None)
    # A search while typing requests only the list.
    template = "patients/includes/patient_search.html" if request.htmx else "patients/patient_list.html"
    response = render(request, template, {"form": form, "page": page, "searched": searched or bool(form.errors)})
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
@once
def patient_new(request: MemberRequest) -> HttpResponse:
    form = PatientForm(request.POST or None, instance=Patient(clinic=request.member.clinic))
    if request.method == "POST" and form.is_valid():
        try:
            patient = register_patient(by=request.member, **form.cleaned_data)
        except RecordNumberTaken as taken:
            note_read(taken.patient, "namesake")
            form.refuse_record_number(taken.patient)
        except NamesakeRegistered as namesake:
            note_read(namesake.patient, "namesake")
            form.ask_about_namesake(namesake.patient)
        else:
            messages.success(
                request,
                _("%(name)s is registered with record number %(number)s.")
                % {"name": patient.name, "number": patient.record_number},
            )
            return redirect(patient)
    return render(request, "patients/patient_form.html", {"form": form})


@require_role(*EVERYONE_IN_THE_CLINIC)
@names_the_patient
def patient_edit(request: MemberRequest, patient_id: UUID) -> HttpResponse:
    patient = get_object_or_404(Patient.objects.visible_to(request.member), pk=patient_id)
    # The form changes its instance; the heading must keep showing the stored name.
    form = PatientForm(request.POST or None, instance=Patient.objects.get(pk=patient.pk))
    if request.method == "POST" and form.is_valid():
        try:
            patient = update_patient(patient=patient, by=request.member, made_from=form.made_from, **form.cleaned_data)
        except RecordNumberTaken as taken:
            note_read(taken.patient, "namesake")
            form.refuse_record_number(taken.patient)
        except NamesakeRegistered as namesake:
            note_read(namesake.patient, "namesake")
            form.ask_about_namesake(namesake.patient)
        except BirthDateContradicted as contradicted:
            form.add_error("birth_date", contradicted.as_form_error())
        except ChangedMeanwhile as changed:
            form = PatientForm(request.POST, instance=changed.record)  # shows the differences
        else:
            messages.success(request, _("The details are saved."))
            return redirect(patient)
    return render(request, "patients/patient_form.html", {"form": form, "patient": patient}, status=form.status)
