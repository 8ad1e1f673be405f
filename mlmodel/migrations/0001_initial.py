# The tables of version 0.1.0. From here on migrations are for keeps: add one, change none.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Architecture and the first characters of the hash.', max_length=60, unique=True)),
                ('sha256', models.CharField(help_text='Hash of backbone, head and settings.', max_length=64, unique=True)),
                ('backbone_sha256', models.CharField(max_length=64)),
                ('head_sha256', models.CharField(max_length=64)),
                ('card', models.TextField(help_text='The generated model card.')),
                ('status', models.CharField(choices=[('candidate', 'Candidate'), ('active', 'Active'), ('retired', 'Retired')], default='candidate', max_length=10)),
                ('settings', models.JSONField(default=dict, help_text='Calibration, operating points and results.')),
                ('judgement', models.JSONField(help_text="The gate's judgement with all reasons.", null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('parent', models.ForeignKey(help_text='The version from which it was trained and with which it was compared.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='candidates', to='mlmodel.modelversion')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='StoredHead',
            fields=[
                ('version', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='stored_head', serialize=False, to='mlmodel.modelversion')),
                ('content', models.BinaryField(help_text="The content of the head's file.")),
            ],
        ),
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('ship', 'Came with the software'), ('promote', 'Promoted'), ('force', "Promoted against the gate's advice"), ('roll_back', 'Rolled back')], max_length=10)),
                ('reason', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('seconded_by', models.ForeignKey(help_text='The second person who agreed, if two were required.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('replaced', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlmodel.modelversion')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='mlmodel.modelversion')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['candidate', 'active', 'retired'])), name='model_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'active')), fields=('status',), name='only_one_model_version_is_active'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('judgement__isnull', True), ('parent__isnull', True)), models.Q(('judgement__isnull', False), ('parent__isnull', False)), _connector='OR'), name='retrained_version_has_parent_and_judgement'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['ship', 'promote', 'force', 'roll_back'])), name='decision_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='decision_states_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('by__isnull', True), ('kind', 'ship')), models.Q(models.Q(('kind', 'ship'), _negated=True), ('by__isnull', False), ('replaced__isnull', False)), _connector='OR'), name='decision_is_somebodys_unless_it_was_shipped'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('seconded_by__isnull', True), models.Q(('seconded_by', models.F('by')), _negated=True), _connector='OR'), name='decision_is_seconded_by_somebody_else'),
        ),
    ]
