import hashlib

from django.db import migrations


def name_what_they_ran_on(apps, schema_editor):
    """A version with an exit flow of its own ran on another network than the shipped backbone: it answers nobody now.

    Its backbone's hash becomes one that no file has. What such a version said stays; if it was the active one, the
    shipped network answers from now on, with a decision that says so.
    """
    versions = apps.get_model("mlmodel", "ModelVersion")
    for version in versions.objects.filter(exit__isnull=False).only("backbone_sha256", "exit_id"):
        body = hashlib.sha256(f"{version.backbone_sha256}{version.exit_id}".encode()).hexdigest()
        versions.objects.filter(pk=version.pk).update(backbone_sha256=body)


class Migration(migrations.Migration):
    dependencies = [
        ("mlmodel", "0005_newest_by_key"),
        ("diagnosis", "0032_no_exit_flows"),
    ]

    operations = [
        migrations.RunPython(name_what_they_ran_on, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name="modelversion", name="only_a_retrained_version_has_an_exit_flow_of_its_own"
        ),
        migrations.RemoveField(model_name="modelversion", name="exit"),
        migrations.DeleteModel(name="StoredExit"),
    ]
