from django.db import migrations

import patients.names


def fold_names(apps, schema_editor):
    Patient = apps.get_model("patients", "Patient")
    changed = []
    for patient in Patient.objects.only("pk", "given_name", "family_name").iterator(chunk_size=2000):
        patient.folded_name = patients.names.fold_name(f"{patient.given_name} {patient.family_name}")[:500]
        changed.append(patient)
        if len(changed) == 2000:
            Patient.objects.bulk_update(changed, ["folded_name"])
            changed = []
    Patient.objects.bulk_update(changed, ["folded_name"])


class Migration(migrations.Migration):
    dependencies = [("patients", "0005_more_body_sites")]

    operations = [
        migrations.AddField(
            model_name="patient",
            name="folded_name",
            field=patients.names.FoldedNameField(default="", editable=False, max_length=500),
        ),
        migrations.RunPython(fold_names, migrations.RunPython.noop, elidable=True),
    ]
