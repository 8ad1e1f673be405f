import patients.names
from django.db import migrations


def fold_again(apps, schema_editor):
    """Recompute what names and numbers fold to; what is shown stays as it was typed."""
    Patient = apps.get_model("patients", "Patient")
    fields = ["folded_name", "folded_number"]
    changed = []
    for patient in Patient.objects.only("pk", "given_name", "family_name", "record_number", *fields).iterator():
        before = patient.folded_name, patient.folded_number
        patient.folded_name = patients.names.fold_name(f"{patient.given_name} {patient.family_name}")[:500]
        patient.folded_number = patients.names.fold_number(patient.record_number)[:200]
        if before != (patient.folded_name, patient.folded_number):
            changed.append(patient)
        if len(changed) == 2000:
            Patient.objects.bulk_update(changed, fields)
            changed = []
    Patient.objects.bulk_update(changed, fields)


class Migration(migrations.Migration):
    dependencies = [("patients", "0012_folded_number")]

    operations = [migrations.RunPython(fold_again, migrations.RunPython.noop, elidable=True)]
