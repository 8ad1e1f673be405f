"""A clinic chooses how answers are read, and every choice is kept as it was made."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


GUARD, TABLE = "answer_settings_are_append_only", "diagnosis_answersettings"


def forbid(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        schema_editor.execute(
            f"CREATE TRIGGER {GUARD} BEFORE UPDATE ON {TABLE} FOR EACH ROW BEGIN SELECT RAISE(ABORT, '{GUARD}'); END"
        )
    elif vendor == "postgresql":
        schema_editor.execute(
            f"CREATE FUNCTION {GUARD}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{GUARD}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        schema_editor.execute(
            f"CREATE TRIGGER {GUARD} BEFORE UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION {GUARD}()"
        )


def allow(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    if vendor == "sqlite":
        schema_editor.execute(f"DROP TRIGGER {GUARD}")
    elif vendor == "postgresql":
        schema_editor.execute(f"DROP TRIGGER {GUARD} ON {TABLE}")
        schema_editor.execute(f"DROP FUNCTION {GUARD}()")


class Migration(migrations.Migration):

    dependencies = [
        ('diagnosis', '0030_what_may_be_malignant_is_planned'),
        ('patients', '0015_messages_name_no_site'),
    ]

    operations = [
        migrations.CreateModel(
            name='AnswerSettings',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(help_text='Counted within the clinic, from 1.')),
                ('watch', models.CharField(choices=[('released', 'As released'), ('more', 'More cautious'), ('most', 'Most cautious')], max_length=8)),
                ('urgent', models.CharField(choices=[('fewer', 'Fewer urgent results'), ('released', 'As released'), ('more', 'More urgent results')], max_length=8)),
                ('class_mix', models.JSONField(blank=True, default=dict)),
                ('reason', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='answer_settings', to='patients.clinic')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
            ],
            options={
                'ordering': ['-number'],
            },
        ),
        migrations.AddField(
            model_name='prediction',
            name='answer_settings',
            field=models.ForeignKey(editable=False, help_text='What the clinic had chosen, where it was not read as released.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='diagnosis.answersettings'),
        ),
        migrations.AddConstraint(
            model_name='answersettings',
            constraint=models.UniqueConstraint(fields=('clinic', 'number'), name='one_answer_settings_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='answersettings',
            constraint=models.CheckConstraint(condition=models.Q(('watch__in', ['released', 'more', 'most'])), name='watch_level_is_known'),
        ),
        migrations.AddConstraint(
            model_name='answersettings',
            constraint=models.CheckConstraint(condition=models.Q(('urgent__in', ['fewer', 'released', 'more'])), name='urgent_level_is_known'),
        ),
        migrations.AddConstraint(
            model_name='answersettings',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='answer_settings_count_from_1'),
        ),
        migrations.AddConstraint(
            model_name='answersettings',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='answer_settings_have_a_reason'),
        ),
        migrations.RunPython(forbid, allow),
    ]
