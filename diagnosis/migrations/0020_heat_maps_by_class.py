"""A heat map says which class it is of. Those kept so far are of the most probable class, and stay that.

Where another class explains the tier, its map is drawn from the original when somebody first asks for it.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import diagnosis.images.models.prediction
from mlmodel.taxonomy import CODES, CONDITIONS

AT_ONCE = 500


def keep_as_maps_of_the_most_probable_class(apps, schema_editor):
    Prediction, HeatMap = apps.get_model("diagnosis", "Prediction"), apps.get_model("diagnosis", "HeatMap")
    rows = Prediction.objects.exclude(heat_map="").order_by().values_list("pk", "code", "heat_map")
    maps = []
    for prediction, code, file in rows.iterator(chunk_size=AT_ONCE):
        maps.append(HeatMap(id=uuid.uuid4(), prediction_id=prediction, code=code, file=file))
        if len(maps) == AT_ONCE:
            HeatMap.objects.bulk_create(maps)
            maps = []
    HeatMap.objects.bulk_create(maps)


def put_back(apps, schema_editor):
    Prediction, HeatMap = apps.get_model("diagnosis", "Prediction"), apps.get_model("diagnosis", "HeatMap")
    for row in HeatMap.objects.filter(code=models.F("prediction__code")).iterator(chunk_size=AT_ONCE):
        Prediction.objects.filter(pk=row.prediction_id).update(heat_map=row.file.name)


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0019_incident_messages_have_rows")]
    operations = [
        migrations.CreateModel(
            name="HeatMap",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "code",
                    models.CharField(choices=[(each.code, each.name) for each in CONDITIONS], max_length=8),
                ),
                ("file", models.FileField(max_length=120, upload_to=diagnosis.images.models.prediction.heat_map_path)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "prediction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="heat_maps",
                        to="diagnosis.prediction",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("prediction", "code"), name="one_heat_map_per_prediction_and_class"
                    ),
                    models.CheckConstraint(condition=models.Q(("code__in", CODES)), name="heat_map_code_is_known"),
                    models.CheckConstraint(
                        condition=models.Q(("file", ""), _negated=True), name="heat_map_has_a_file"
                    ),
                ],
            },
        ),
        migrations.RunPython(keep_as_maps_of_the_most_probable_class, put_back),
        # On the way back the column is filled before the paths are: with nothing, as it was where there was no map.
        migrations.AlterField(
            model_name="prediction",
            name="heat_map",
            field=models.FileField(
                blank=True, default="", max_length=120, upload_to=diagnosis.images.models.prediction.heat_map_path
            ),
        ),
        migrations.RemoveField(model_name="prediction", name="heat_map"),
    ]
