# The tables of version 0.1.0. From here on migrations are for keeps: add one, change none.

import datetime
import diagnosis.images.models.image
import diagnosis.images.models.prediction
import diagnosis.images.models.step
import diagnosis.reports.models.report
import diagnosis.retraining.models.proposal
import diagnosis.reviews.answers
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models

from dermascan.core.append_only import AppendOnly
from diagnosis.migrations._planned_danger import DangerIsPlanned


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('mlmodel', '0001_initial'),
        ('patients', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
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
        migrations.CreateModel(
            name='Explanation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=8)),
                ('language', models.CharField(max_length=20)),
                ('reading_level', models.CharField(choices=[('patient', 'Patient'), ('clinician', 'Clinician')], max_length=10)),
                ('model_name', models.CharField(max_length=80)),
                ('sections', models.JSONField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['code', 'language'],
                'constraints': [models.UniqueConstraint(fields=('code', 'language', 'reading_level', 'model_name'), name='one_explanation_of_a_kind'), models.CheckConstraint(condition=models.Q(('code__in', ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc'))), name='explanation_code_is_known'), models.CheckConstraint(condition=models.Q(('reading_level__in', ('patient', 'clinician'))), name='explanation_reading_level_is_known')],
            },
        ),
        migrations.CreateModel(
            name='Image',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('original', models.FileField(max_length=120, upload_to=diagnosis.images.models.image.original_path)),
                ('original_name', models.CharField(max_length=200)),
                ('media_type', models.CharField(max_length=40)),
                ('sha256', models.CharField(max_length=64)),
                ('width', models.PositiveIntegerField(help_text='Pixels, upright.')),
                ('height', models.PositiveIntegerField(help_text='Pixels, upright.')),
                ('display', models.FileField(max_length=120, upload_to=diagnosis.images.models.image.display_path)),
                ('thumbnail', models.FileField(max_length=120, upload_to=diagnosis.images.models.image.thumbnail_path)),
                ('verdict', models.CharField(choices=[('accepted', 'Good enough to analyse'), ('not_skin', 'Not a skin lesion'), ('blurred', 'Blurred'), ('too_dark', 'Too dark'), ('too_bright', 'Too bright'), ('too_small', 'Too small'), ('no_lesion', 'No lesion found')], max_length=10)),
                ('measures', models.JSONField(default=dict, help_text='Measurements of the quality check.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('lesion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='images', to='patients.lesion')),
                ('uploaded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('visit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='images', to='patients.visit')),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='Exclusion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(choices=[('other_patient', 'It shows another patient'), ('other_lesion', 'It shows another lesion'), ('taken_twice', 'It was added twice'), ('unfit', 'It cannot be used')], max_length=16)),
                ('note', models.CharField(blank=True, default='', max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(help_text='When the exclusion was undone.', null=True)),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exclusions', to='diagnosis.image')),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='ImageEmbedding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('space_sha256', models.CharField(max_length=64)),
                ('vector', models.BinaryField(help_text='Little-endian float16, of unit length.')),
                ('embedded_at', models.DateTimeField(auto_now=True)),
                ('image', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='embedding', to='diagnosis.image')),
            ],
        ),
        migrations.CreateModel(
            name='ImageFeatures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('backbone_sha256', models.CharField(max_length=64)),
                ('vector', models.BinaryField(help_text='Little-endian float16.')),
                ('image', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='features', to='diagnosis.image')),
            ],
            options={
                'verbose_name_plural': 'image features',
            },
        ),
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('watched', models.CharField(choices=[('drift', 'Photographs differ from those of the release'), ('refusals', 'Many photographs are refused'), ('queue_age', 'Urgent photographs wait too long for a review'), ('agreement', 'The network disagrees with the confirmed labels'), ('calibration', 'Probabilities are less accurate than at release'), ('missed', 'Malignant diagnoses were called calm'), ('latency', 'Answers are slow')], max_length=20)),
                ('state', models.CharField(choices=[('open', 'Open'), ('acknowledged', 'Acknowledged'), ('over', 'Over')], default='open', max_length=15)),
                ('words', models.TextField(help_text='What was seen, with the figures.')),
                ('opened_at', models.DateTimeField()),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('over_at', models.DateTimeField(blank=True, null=True)),
                ('acknowledged_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='incidents', to='patients.clinic')),
            ],
            options={
                'ordering': ['-opened_at'],
            },
        ),
        migrations.CreateModel(
            name='Measurement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('segmenter_sha256', models.CharField(max_length=64)),
                ('values', models.JSONField(help_text='As mlmodel.segmentation.measuring.Measured.as_values returns it.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='measurements', to='diagnosis.image')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='PhotographOnScreen',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('until', models.DateTimeField()),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='diagnosis.image')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.member')),
            ],
        ),
        migrations.CreateModel(
            name='PictureScale',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('width_mm', models.DecimalField(decimal_places=1, max_digits=5, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(500)], verbose_name='width of the whole picture, in mm')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='scales', to='diagnosis.image')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='Prediction',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(choices=[('akiec', "Actinic keratosis or Bowen's disease"), ('bcc', 'Basal cell carcinoma'), ('bkl', 'Benign keratosis'), ('df', 'Dermatofibroma'), ('mel', 'Melanoma'), ('nv', 'Melanocytic nevus'), ('vasc', 'Vascular lesion')], max_length=8)),
                ('akiec', models.FloatField()),
                ('bcc', models.FloatField()),
                ('bkl', models.FloatField()),
                ('df', models.FloatField()),
                ('mel', models.FloatField()),
                ('nv', models.FloatField()),
                ('vasc', models.FloatField()),
                ('malignant_probability', models.FloatField(help_text='Sum over melanoma, basal cell carcinoma, akiec.')),
                ('tier', models.CharField(choices=[('urgent', 'See a dermatologist within two weeks'), ('watch', 'Have a dermatologist look at it'), ('calm', 'Nothing alarming was found')], max_length=10)),
                ('duration', models.DurationField(default=datetime.timedelta(0))),
                ('was_rescored', models.BooleanField(default=False, help_text='Re-scored from stored features after a switch of versions.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('step', diagnosis.images.models.step.StepField(help_text='Position in the order of insertion: greater than that of every earlier row.')),
                ('answer_settings', models.ForeignKey(editable=False, help_text="The clinic's settings, if they changed anything.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='diagnosis.answersettings')),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='predictions', to='diagnosis.image')),
                ('model_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='predictions', to='mlmodel.modelversion')),
            ],
            options={
                'ordering': ['-step'],
            },
        ),
        migrations.CreateModel(
            name='HeatMap',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(choices=[('akiec', "Actinic keratosis or Bowen's disease"), ('bcc', 'Basal cell carcinoma'), ('bkl', 'Benign keratosis'), ('df', 'Dermatofibroma'), ('mel', 'Melanoma'), ('nv', 'Melanocytic nevus'), ('vasc', 'Vascular lesion')], max_length=8)),
                ('file', models.FileField(max_length=120, upload_to=diagnosis.images.models.prediction.heat_map_path)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('prediction', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='heat_maps', to='diagnosis.prediction')),
            ],
        ),
        migrations.CreateModel(
            name='QualityOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('image', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='override', to='diagnosis.image')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
            ],
        ),
        migrations.CreateModel(
            name='QueueEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done')], max_length=10)),
                ('priority', models.FloatField(default=0)),
                ('reasons', models.JSONField(default=list, help_text='Codes of Reason, the highest weight first.')),
                ('reason', models.CharField(blank=True, choices=[('readers_disagree', 'Readers disagree'), ('labels_contradict', 'Labels of its lesion contradict each other'), ('urgent', 'The network finds it urgent'), ('tier_changed', 'A new network changed its tier'), ('overridden', 'Refused, and analysed anyway'), ('network_disagrees', 'Network and reader disagree'), ('refused', 'Refused by the quality check'), ('malignant_suspicion', 'Malignancy suspected'), ('no_dermatoscope', 'Taken without a dermatoscope: no all-clear'), ('random_share', 'Part of the random sample'), ('drift_outlier', 'Unlike what the network was trained on'), ('uncertain', 'The network is uncertain'), ('no_label', 'No confirmed label yet')], default='', max_length=20, verbose_name='why')),
                ('needs', models.PositiveSmallIntegerField(default=0, help_text='Which reader is needed: 1, 2 or 3; 4 is a consensus, 0 none.')),
                ('claimed_until', models.DateTimeField(null=True)),
                ('entered_at', models.DateTimeField(help_text='For an entry that is done, when it last began to wait.', verbose_name='waiting since')),
                ('entered_after', models.PositiveBigIntegerField(default=0, help_text='The newest step when it began to wait: a reader with a later review has read it.')),
                ('claimed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.clinic')),
                ('image', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='queue_entry', to='diagnosis.image')),
            ],
            options={
                'verbose_name': 'photograph in the review queue',
                'verbose_name_plural': 'photographs in the review queue',
            },
        ),
        migrations.CreateModel(
            name='QueueSkip',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('step', diagnosis.images.models.step.StepField(help_text='Position in the order of insertion: greater than that of every earlier row.')),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='skips', to='diagnosis.image')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.member')),
            ],
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('signed_at', models.DateTimeField()),
                ('content', models.TextField(help_text='Canonical JSON, exactly the bytes that were hashed.')),
                ('content_sha256', models.CharField(max_length=64)),
                ('pdf', models.FileField(max_length=120, upload_to=diagnosis.reports.models.report.pdf_path)),
                ('pdf_sha256', models.CharField(max_length=64)),
                ('released_at', models.DateTimeField(null=True)),
                ('no_plan_reason', models.TextField(help_text='Why it was signed without a plan although it needs one; for the clinic.', null=True)),
                ('released_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('signed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('visit', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='report', to='patients.visit')),
            ],
            options={
                'ordering': ['-signed_at'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Addendum',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('signed_at', models.DateTimeField()),
                ('content', models.TextField(help_text='Canonical JSON, exactly the bytes that were hashed.')),
                ('content_sha256', models.CharField(max_length=64)),
                ('pdf', models.FileField(max_length=120, upload_to=diagnosis.reports.models.report.pdf_path)),
                ('pdf_sha256', models.CharField(max_length=64)),
                ('number', models.PositiveSmallIntegerField(help_text='From 1, within its report.')),
                ('signed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='addenda', to='diagnosis.report')),
            ],
            options={
                'verbose_name_plural': 'addenda',
                'ordering': ['number'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('answer', models.CharField(choices=diagnosis.reviews.answers.answer_choices, max_length=16, verbose_name='answer')),
                ('other_text', models.CharField(blank=True, default='', max_length=200, verbose_name='what else it is')),
                ('certainty', models.CharField(choices=[('certain', 'Certain'), ('probable', 'Probable'), ('unsure', 'Unsure – settles nothing')], max_length=10, verbose_name='how sure')),
                ('basis', models.CharField(choices=[('histopathology', 'Histopathology'), ('follow_up', 'Follow-up'), ('consensus', 'Consensus of dermatologists'), ('dermatoscopy', 'Dermatoscopy')], default='dermatoscopy', max_length=16, verbose_name='how it is known')),
                ('reason', models.TextField(blank=True, max_length=2000, verbose_name='why')),
                ('was_blinded', models.BooleanField(default=False, help_text="The network's answer was hidden until this one was given.", verbose_name='blinded')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('step', diagnosis.images.models.step.StepField(help_text='Position in the order of insertion: greater than that of every earlier row.')),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='diagnosis.image')),
                ('reviewer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='patients.member')),
            ],
            options={
                'ordering': ['-step'],
            },
        ),
        migrations.CreateModel(
            name='LabelChange',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(help_text="Counts the image's changes from 1.")),
                ('before_state', models.CharField(choices=[('open', 'Open'), ('disputed', 'Disputed'), ('settled', 'Settled')], max_length=10)),
                ('before_answer', models.CharField(blank=True, choices=diagnosis.reviews.answers.answer_choices, default='', max_length=16)),
                ('after_state', models.CharField(choices=[('open', 'Open'), ('disputed', 'Disputed'), ('settled', 'Settled')], max_length=10)),
                ('after_answer', models.CharField(blank=True, choices=diagnosis.reviews.answers.answer_choices, default='', max_length=16)),
                ('cause', models.CharField(choices=[('review', 'A review was added'), ('retraction', 'A review was withdrawn'), ('rule', "The clinic's rule for reviews changed")], max_length=10)),
                ('why', models.CharField(choices=[('nothing_decides', 'no opinion decides'), ('newest_opinion', 'one reader decides here, and the newest opinion counts'), ('second_missing', 'one blinded reader has decided, and two are needed'), ('readers_agree', 'blinded readers agree'), ('readers_differ', 'readers differ, so a third is needed'), ('most_agree', 'most of the blinded readers agree'), ('no_majority', 'readers differ, so a consensus entered by two, or histopathology, is needed'), ('consensus', 'a consensus outranks single opinions'), ('histopathology', 'histopathology outranks opinions')], max_length=16)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='label_changes', to='diagnosis.image')),
                ('review', models.ForeignKey(help_text='The review that was added or withdrawn.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='label_changes', to='diagnosis.review')),
            ],
            options={
                'ordering': ['-number'],
            },
        ),
        migrations.CreateModel(
            name='ConfirmedLabel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Open'), ('disputed', 'Disputed'), ('settled', 'Settled')], max_length=10)),
                ('answer', models.CharField(blank=True, choices=diagnosis.reviews.answers.answer_choices, default='', max_length=16)),
                ('basis', models.CharField(blank=True, choices=[('histopathology', 'Histopathology'), ('follow_up', 'Follow-up'), ('consensus', 'Consensus of dermatologists'), ('dermatoscopy', 'Dermatoscopy')], default='', max_length=16)),
                ('why', models.CharField(choices=[('nothing_decides', 'no opinion decides'), ('newest_opinion', 'one reader decides here, and the newest opinion counts'), ('second_missing', 'one blinded reader has decided, and two are needed'), ('readers_agree', 'blinded readers agree'), ('readers_differ', 'readers differ, so a third is needed'), ('most_agree', 'most of the blinded readers agree'), ('no_majority', 'readers differ, so a consensus entered by two, or histopathology, is needed'), ('consensus', 'a consensus outranks single opinions'), ('histopathology', 'histopathology outranks opinions')], max_length=16)),
                ('settled_at', models.DateTimeField(null=True)),
                ('settled_after', models.PositiveBigIntegerField(default=0, help_text='The newest step when the label was settled.')),
                ('readers', models.JSONField(default=list, help_text='Identifiers of the members whose answers were weighed.')),
                ('rule', models.CharField(choices=[('one_reader', 'One reader: the newest opinion'), ('two_blinded_readers', 'Two blinded readers, and a third where they differ')], help_text='The rule that was applied.', max_length=20)),
                ('image', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='label', to='diagnosis.image')),
                ('review', models.ForeignKey(help_text='The review that settled the label.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='diagnosis.review')),
            ],
        ),
        migrations.CreateModel(
            name='ReviewRetraction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('review', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='retraction', to='diagnosis.review')),
            ],
        ),
        migrations.CreateModel(
            name='TestAssignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(choices=[('train', 'Training set'), ('test', 'Held-out test set')], max_length=8)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('lesion', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='test_assignment', to='patients.lesion')),
            ],
        ),
        migrations.CreateModel(
            name='TrainingRun',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('queued', 'Waiting for a worker'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('dead', 'Stopped responding'), ('abandoned', 'Abandoned')], default='queued', max_length=10, verbose_name='state')),
                ('slot', models.PositiveSmallIntegerField(default=1, help_text='1 while the run is waiting or running: only one run can be.', null=True)),
                ('attempt', models.UUIDField(default=uuid.uuid4, help_text='Identifies the process that holds the run; new after each claim.')),
                ('heartbeat_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('stage', models.CharField(blank=True, default='', max_length=120)),
                ('share_done', models.FloatField(default=0.0)),
                ('since', models.DateField(help_text='Only labels that were settled on this day or later.', null=True)),
                ('manifest_sha256', models.CharField(blank=True, default='', max_length=64)),
                ('left_out', models.JSONField(default=dict, help_text='The number of photographs that were not used, by reason.')),
                ('left_out_images', models.JSONField(default=dict, help_text='The keys of some of these photographs, by reason.')),
                ('withdrawn', models.JSONField(default=list, help_text='Photographs of the manifest that were not used: consent was withdrawn, or they were excluded, since.')),
                ('turned_wrong', models.JSONField(default=list, help_text='Photographs that the active version classifies correctly and the candidate does not.')),
                ('error', models.CharField(blank=True, default='', max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('step', models.PositiveBigIntegerField(default=0, editable=False, help_text='The newest step when the photographs were collected: labels of later steps are new.')),
                ('finished_at', models.DateTimeField(null=True)),
                ('abandoned_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='abandoned by')),
                ('candidate', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='training_runs', to='mlmodel.modelversion')),
                ('clinic', models.ForeignKey(help_text='The clinic whose photographs are used; all clinics if empty.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.clinic')),
                ('parent', models.ForeignKey(help_text='The active version when the run was started.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlmodel.modelversion')),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='started by')),
            ],
            options={
                'ordering': ['-step', '-created_at'],
            },
        ),
        migrations.CreateModel(
            name='RunMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('words', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='diagnosis.trainingrun')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='ManifestEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('image_sha256', models.CharField(max_length=64)),
                ('features_sha256', models.CharField(max_length=64)),
                ('code', models.CharField(max_length=5)),
                ('part', models.CharField(choices=[('train', 'Training set'), ('test', 'Held-out test set')], max_length=8)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='manifest_entries', to='diagnosis.image')),
                ('lesion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.lesion')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='manifest', to='diagnosis.trainingrun')),
            ],
            options={
                'verbose_name_plural': 'manifest entries',
            },
        ),
        migrations.CreateModel(
            name='VersionProposal',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('needs', models.CharField(choices=[('person', 'a second person'), ('clinic', 'a dermatologist of another clinic, or an operator')], max_length=10)),
                ('state', models.CharField(choices=[('waiting', 'Waiting for a second person'), ('approved', 'Approved'), ('declined', 'Declined'), ('withdrawn', 'Withdrawn'), ('lapsed', 'Lapsed')], default='waiting', max_length=10)),
                ('reason', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField(default=diagnosis.retraining.models.proposal.expiry)),
                ('decided_at', models.DateTimeField(null=True)),
                ('answer', models.CharField(blank=True, default='', help_text='Why it was declined or lapsed.', max_length=500)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_clinic', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.clinic')),
                ('decision', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposal', to='mlmodel.decision')),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_clinic', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.clinic')),
                ('replaces', models.ForeignKey(help_text='The active version when the proposal was made.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mlmodel.modelversion')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='mlmodel.modelversion')),
            ],
            options={
                'ordering': ['-created_at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='WatchDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('seen_at', models.DateTimeField()),
                ('photographs', models.PositiveIntegerField(help_text='The newest accepted ones, as many as were compared.')),
                ('distance', models.FloatField(help_text="From the release's; none where nothing was compared.", null=True)),
                ('limit', models.FloatField(help_text='Of the distance; none while there are too few to tell.', null=True)),
                ('stability_index', models.FloatField(null=True)),
                ('waiting', models.PositiveIntegerField()),
                ('oldest_days', models.FloatField(help_text='How long the oldest has waited.')),
                ('median_days', models.FloatField(help_text='How long half of them have waited at least.')),
                ('clinic', models.ForeignKey(help_text='None: of all clinics together.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.clinic')),
            ],
            options={
                'ordering': ['day'],
            },
        ),
        migrations.CreateModel(
            name='Withholding',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(choices=[('diagnosis', 'A diagnosis in it is being checked'), ('plan', 'The plan in it is being checked'), ('details', 'Details in it are being checked')], max_length=10)),
                ('note', models.CharField(help_text='For the clinic: what is wrong.', max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(help_text='When the report was released again.', null=True)),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='withholdings', to='diagnosis.report')),
            ],
            options={
                'ordering': ['-created_at'],
            },
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
        migrations.AddIndex(
            model_name='image',
            index=models.Index(fields=['-created_at'], name='images_by_age'),
        ),
        migrations.AddIndex(
            model_name='image',
            index=models.Index(fields=['sha256'], name='images_by_file'),
        ),
        migrations.AddConstraint(
            model_name='image',
            constraint=models.UniqueConstraint(fields=('visit', 'lesion', 'sha256'), name='photograph_is_kept_once_for_a_lesion'),
        ),
        migrations.AddConstraint(
            model_name='image',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['accepted', 'not_skin', 'blurred', 'too_dark', 'too_bright', 'too_small', 'no_lesion'])), name='image_verdict_is_known'),
        ),
        migrations.AddConstraint(
            model_name='image',
            constraint=models.CheckConstraint(condition=models.Q(('height__gte', 1), ('width__gte', 1)), name='image_has_pixels'),
        ),
        migrations.AddConstraint(
            model_name='image',
            constraint=models.CheckConstraint(condition=models.Q(('sha256__regex', '^[0-9a-f]{64}$')), name='image_sha256_is_a_hash'),
        ),
        migrations.AddConstraint(
            model_name='exclusion',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('image',), name='photograph_is_excluded_once_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='exclusion',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['other_patient', 'other_lesion', 'taken_twice', 'unfit'])), name='exclusion_reason_is_known'),
        ),
        migrations.AddConstraint(
            model_name='exclusion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__gte', models.F('created_at')), ('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='exclusion_ends_after_it_began_by_someone'),
        ),
        migrations.AddIndex(
            model_name='imageembedding',
            index=models.Index(fields=['space_sha256', 'embedded_at'], name='embeddings_of_a_space'),
        ),
        migrations.AddConstraint(
            model_name='imageembedding',
            constraint=models.CheckConstraint(condition=models.Q(('space_sha256__regex', '^[0-9a-f]{64}$')), name='embedding_names_its_space'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['clinic', '-opened_at'], name='incidents_of_a_clinic'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('watched__in', ['drift', 'refusals', 'queue_age', 'agreement', 'calibration', 'missed', 'latency'])), name='incident_is_of_a_known_kind'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'acknowledged', 'over'])), name='incident_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('words', ''), _negated=True), name='incident_says_what_was_seen'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'over'), _negated=True), fields=('clinic', 'watched'), name='one_incident_of_a_kind_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('over_at__isnull', False), ('state', 'over')), models.Q(models.Q(('state', 'over'), _negated=True), ('over_at__isnull', True)), _connector='OR'), name='incident_that_is_over_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('acknowledged_at__isnull', True), ('acknowledged_by__isnull', True)), models.Q(('acknowledged_at__isnull', False), ('acknowledged_by__isnull', False)), _connector='OR'), name='incident_acknowledgement_has_a_name_and_a_time'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'acknowledged'), _negated=True), ('acknowledged_at__isnull', False), _connector='OR'), name='acknowledged_incident_names_who'),
        ),
        migrations.AddConstraint(
            model_name='measurement',
            constraint=models.UniqueConstraint(fields=('image', 'segmenter_sha256'), name='one_measurement_per_image_and_segmenter'),
        ),
        migrations.AddConstraint(
            model_name='measurement',
            constraint=models.CheckConstraint(condition=models.Q(('segmenter_sha256__regex', '^[0-9a-f]{64}$')), name='segmenter_sha256_is_a_hash'),
        ),
        migrations.AddConstraint(
            model_name='photographonscreen',
            constraint=models.UniqueConstraint(fields=('image', 'member'), name='photograph_is_on_a_screen_once'),
        ),
        migrations.AddConstraint(
            model_name='picturescale',
            constraint=models.CheckConstraint(condition=models.Q(('width_mm__gte', 1), ('width_mm__lte', 500)), name='picture_width_is_plausible'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(fields=['image', '-step'], name='predictions_of_an_image'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(fields=['-step'], name='predictions_in_order'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(fields=['-malignant_probability', '-created_at'], name='predictions_by_suspicion'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(fields=['tier', '-created_at'], name='predictions_by_tier'),
        ),
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(fields=['-created_at'], name='predictions_by_age'),
        ),
        migrations.AddConstraint(
            model_name='prediction',
            constraint=models.UniqueConstraint(fields=('image', 'model_version'), name='one_prediction_per_image_and_version'),
        ),
        migrations.AddConstraint(
            model_name='prediction',
            constraint=models.CheckConstraint(condition=models.Q(('code__in', ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc'))), name='prediction_code_is_known'),
        ),
        migrations.AddConstraint(
            model_name='prediction',
            constraint=models.CheckConstraint(condition=models.Q(('tier__in', ['urgent', 'watch', 'calm'])), name='prediction_tier_is_known'),
        ),
        migrations.AddConstraint(
            model_name='prediction',
            constraint=models.CheckConstraint(condition=models.Q(('akiec__gte', 0), ('akiec__lte', 1), ('bcc__gte', 0), ('bcc__lte', 1), ('bkl__gte', 0), ('bkl__lte', 1), ('df__gte', 0), ('df__lte', 1), ('mel__gte', 0), ('mel__lte', 1), ('nv__gte', 0), ('nv__lte', 1), ('vasc__gte', 0), ('vasc__lte', 1)), name='probabilities_lie_between_0_and_1'),
        ),
        migrations.AddConstraint(
            model_name='prediction',
            constraint=models.CheckConstraint(condition=models.Q(('akiec__gte', django.db.models.expressions.CombinedExpression(models.Value(0.999), '-', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('bcc'), '+', models.F('bkl')), '+', models.F('df')), '+', models.F('mel')), '+', models.F('nv')), '+', models.F('vasc')))), ('akiec__lte', django.db.models.expressions.CombinedExpression(models.Value(1.001), '-', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('bcc'), '+', models.F('bkl')), '+', models.F('df')), '+', models.F('mel')), '+', models.F('nv')), '+', models.F('vasc'))))), name='probabilities_sum_to_1'),
        ),
        migrations.AddConstraint(
            model_name='prediction',
            constraint=models.CheckConstraint(condition=models.Q(('malignant_probability__gte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('akiec'), '+', models.F('bcc')), '+', models.F('mel')), '-', models.Value(0.001))), ('malignant_probability__lte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('akiec'), '+', models.F('bcc')), '+', models.F('mel')), '+', models.Value(0.001)))), name='malignant_probability_is_the_malignant_mass'),
        ),
        migrations.AddConstraint(
            model_name='heatmap',
            constraint=models.UniqueConstraint(fields=('prediction', 'code'), name='one_heat_map_per_prediction_and_class'),
        ),
        migrations.AddConstraint(
            model_name='heatmap',
            constraint=models.CheckConstraint(condition=models.Q(('code__in', ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc'))), name='heat_map_code_is_known'),
        ),
        migrations.AddConstraint(
            model_name='heatmap',
            constraint=models.CheckConstraint(condition=models.Q(('file', ''), _negated=True), name='heat_map_has_a_file'),
        ),
        migrations.AddConstraint(
            model_name='qualityoverride',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='override_states_a_reason'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(fields=['clinic', 'state', '-priority', 'id'], name='queue_of_a_clinic'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(fields=['clinic', 'reason', '-priority', 'id'], name='queue_by_reason'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(fields=['state', '-priority', 'id'], name='queue_of_all'),
        ),
        migrations.AddIndex(
            model_name='queueentry',
            index=models.Index(fields=['clinic', 'state', 'entered_at'], name='queue_by_age'),
        ),
        migrations.AddConstraint(
            model_name='queueentry',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'done'])), name='queue_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='queueentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('needs__gte', 1), ('needs__lte', 4), ('reason__in', ['readers_disagree', 'labels_contradict', 'urgent', 'tier_changed', 'overridden', 'network_disagrees', 'refused', 'malignant_suspicion', 'no_dermatoscope', 'random_share', 'drift_outlier', 'uncertain', 'no_label']), ('state', 'waiting')), models.Q(('claimed_by', None), ('needs', 0), ('reason', ''), ('state', 'done')), _connector='OR'), name='queue_entry_waits_for_somebody_for_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='queueentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('claimed_by__isnull', True), ('claimed_until__isnull', True)), models.Q(('claimed_by__isnull', False), ('claimed_until__isnull', False)), _connector='OR'), name='queue_claim_has_an_end'),
        ),
        migrations.AddIndex(
            model_name='queueskip',
            index=models.Index(fields=['-step'], name='skips_in_order'),
        ),
        migrations.AddConstraint(
            model_name='queueskip',
            constraint=models.UniqueConstraint(fields=('image', 'member'), name='photograph_is_skipped_once'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(('content_sha256__regex', '^[0-9a-f]{64}$'), ('pdf_sha256__regex', '^[0-9a-f]{64}$')), name='report_is_hashed'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('released_at__isnull', True), ('released_by__isnull', True)), models.Q(('released_at__gte', models.F('signed_at')), ('released_at__isnull', False), ('released_by__isnull', False)), _connector='OR'), name='report_is_released_after_signing_by_someone'),
        ),
        migrations.AddConstraint(
            model_name='addendum',
            constraint=models.CheckConstraint(condition=models.Q(('content_sha256__regex', '^[0-9a-f]{64}$'), ('pdf_sha256__regex', '^[0-9a-f]{64}$')), name='addendum_is_hashed'),
        ),
        migrations.AddConstraint(
            model_name='addendum',
            constraint=models.UniqueConstraint(fields=('report', 'number'), name='addendum_has_a_number_of_its_own'),
        ),
        migrations.AddConstraint(
            model_name='addendum',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='addendum_numbers_begin_at_one'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['image', '-step'], name='reviews_of_an_image'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['-created_at'], name='reviews_by_age'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['reviewer', '-created_at'], name='reviews_of_a_reader'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['reviewer', '-step'], name='reviews_of_a_reader_in_order'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['-step'], name='reviews_in_order'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('answer__in', ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', 'scc', 'keratoacanthoma', 'lentigo_maligna', 'merkel', 'metastasis', 'mf', 'lymphoma', 'kaposi', 'dfsp', 'afx', 'sebaceous_ca', 'adnexal_ca', 'paget', 'angiosarcoma', 'meltump', 'spitz_atypical', 'uncertain_skin', 'spitz', 'atypical_nevus', 'blue_nevus', 'lentigo_simplex', 'nevus_sebaceus', 'sebaceous_hyp', 'adnexal_tumour', 'neurofibroma', 'lipoma', 'skin_tag', 'cyst', 'scar', 'keloid', 'haemorrhage', 'pigmentation', 'porokeratosis', 'cnh', 'dermatitis', 'psoriasis', 'lichen_planus', 'prurigo', 'granuloma_ann', 'lupus', 'rosacea', 'wart', 'molluscum', 'tinea', 'abscess', 'other', 'other_malignant', 'other_benign', 'cannot_tell', 'not_a_lesion'))), name='review_answer_is_known'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer__in', ('other', 'other_malignant', 'other_benign')), models.Q(('other_text', ''), _negated=True)), models.Q(models.Q(('answer__in', ('other', 'other_malignant', 'other_benign')), _negated=True), ('other_text', '')), _connector='OR'), name='review_says_what_else_it_is'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('certainty__in', ['certain', 'probable', 'unsure'])), name='review_certainty_is_known'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('basis__in', ['histopathology', 'follow_up', 'consensus', 'dermatoscopy'])), name='review_basis_is_known'),
        ),
        migrations.AddIndex(
            model_name='labelchange',
            index=models.Index(fields=['-created_at'], name='label_changes_by_age'),
        ),
        migrations.AddConstraint(
            model_name='labelchange',
            constraint=models.UniqueConstraint(fields=('image', 'number'), name='label_change_number_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='labelchange',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='label_change_number_starts_at_one'),
        ),
        migrations.AddConstraint(
            model_name='labelchange',
            constraint=models.CheckConstraint(condition=models.Q(('before_answer', models.F('after_answer')), ('before_state', models.F('after_state')), _negated=True), name='label_change_changes_something'),
        ),
        migrations.AddConstraint(
            model_name='labelchange',
            constraint=models.CheckConstraint(condition=models.Q(('after_answer__in', ('', 'akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', 'scc', 'keratoacanthoma', 'lentigo_maligna', 'merkel', 'metastasis', 'mf', 'lymphoma', 'kaposi', 'dfsp', 'afx', 'sebaceous_ca', 'adnexal_ca', 'paget', 'angiosarcoma', 'meltump', 'spitz_atypical', 'uncertain_skin', 'spitz', 'atypical_nevus', 'blue_nevus', 'lentigo_simplex', 'nevus_sebaceus', 'sebaceous_hyp', 'adnexal_tumour', 'neurofibroma', 'lipoma', 'skin_tag', 'cyst', 'scar', 'keloid', 'haemorrhage', 'pigmentation', 'porokeratosis', 'cnh', 'dermatitis', 'psoriasis', 'lichen_planus', 'prurigo', 'granuloma_ann', 'lupus', 'rosacea', 'wart', 'molluscum', 'tinea', 'abscess', 'other', 'other_malignant', 'other_benign', 'cannot_tell', 'not_a_lesion')), ('before_answer__in', ('', 'akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', 'scc', 'keratoacanthoma', 'lentigo_maligna', 'merkel', 'metastasis', 'mf', 'lymphoma', 'kaposi', 'dfsp', 'afx', 'sebaceous_ca', 'adnexal_ca', 'paget', 'angiosarcoma', 'meltump', 'spitz_atypical', 'uncertain_skin', 'spitz', 'atypical_nevus', 'blue_nevus', 'lentigo_simplex', 'nevus_sebaceus', 'sebaceous_hyp', 'adnexal_tumour', 'neurofibroma', 'lipoma', 'skin_tag', 'cyst', 'scar', 'keloid', 'haemorrhage', 'pigmentation', 'porokeratosis', 'cnh', 'dermatitis', 'psoriasis', 'lichen_planus', 'prurigo', 'granuloma_ann', 'lupus', 'rosacea', 'wart', 'molluscum', 'tinea', 'abscess', 'other', 'other_malignant', 'other_benign', 'cannot_tell', 'not_a_lesion'))), name='label_change_answers_are_known'),
        ),
        migrations.AddConstraint(
            model_name='labelchange',
            constraint=models.CheckConstraint(condition=models.Q(('cause__in', ['review', 'retraction', 'rule'])), name='label_change_cause_is_known'),
        ),
        migrations.AddConstraint(
            model_name='labelchange',
            constraint=models.CheckConstraint(condition=models.Q(('why__in', ['nothing_decides', 'newest_opinion', 'second_missing', 'readers_agree', 'readers_differ', 'most_agree', 'no_majority', 'consensus', 'histopathology'])), name='label_change_why_is_known'),
        ),
        migrations.AddIndex(
            model_name='confirmedlabel',
            index=models.Index(fields=['-settled_at'], name='labels_by_age'),
        ),
        migrations.AddConstraint(
            model_name='confirmedlabel',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'disputed', 'settled'])), name='label_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='confirmedlabel',
            constraint=models.CheckConstraint(condition=models.Q(('answer__in', ('', 'akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', 'scc', 'keratoacanthoma', 'lentigo_maligna', 'merkel', 'metastasis', 'mf', 'lymphoma', 'kaposi', 'dfsp', 'afx', 'sebaceous_ca', 'adnexal_ca', 'paget', 'angiosarcoma', 'meltump', 'spitz_atypical', 'uncertain_skin', 'spitz', 'atypical_nevus', 'blue_nevus', 'lentigo_simplex', 'nevus_sebaceus', 'sebaceous_hyp', 'adnexal_tumour', 'neurofibroma', 'lipoma', 'skin_tag', 'cyst', 'scar', 'keloid', 'haemorrhage', 'pigmentation', 'porokeratosis', 'cnh', 'dermatitis', 'psoriasis', 'lichen_planus', 'prurigo', 'granuloma_ann', 'lupus', 'rosacea', 'wart', 'molluscum', 'tinea', 'abscess', 'other', 'other_malignant', 'other_benign', 'cannot_tell', 'not_a_lesion'))), name='label_answer_is_known'),
        ),
        migrations.AddConstraint(
            model_name='confirmedlabel',
            constraint=models.CheckConstraint(condition=models.Q(('basis__in', ('', 'histopathology', 'follow_up', 'consensus', 'dermatoscopy'))), name='label_basis_is_known'),
        ),
        migrations.AddConstraint(
            model_name='confirmedlabel',
            constraint=models.CheckConstraint(condition=models.Q(('rule__in', ['one_reader', 'two_blinded_readers'])), name='label_rule_is_known'),
        ),
        migrations.AddConstraint(
            model_name='confirmedlabel',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('review__isnull', False), ('settled_at__isnull', False), ('state', 'settled'), models.Q(('answer', ''), _negated=True), models.Q(('basis', ''), _negated=True)), models.Q(models.Q(('state', 'settled'), _negated=True), ('answer', ''), ('basis', ''), ('review', None), ('settled_at', None)), _connector='OR'), name='label_has_an_answer_when_it_is_settled'),
        ),
        migrations.AddConstraint(
            model_name='testassignment',
            constraint=models.CheckConstraint(condition=models.Q(('part__in', ['train', 'test'])), name='assignment_part_is_known'),
        ),
        migrations.AddConstraint(
            model_name='trainingrun',
            constraint=models.UniqueConstraint(fields=('slot',), name='only_one_training_run_is_alive'),
        ),
        migrations.AddConstraint(
            model_name='trainingrun',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'done', 'failed', 'dead', 'abandoned'])), name='run_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='trainingrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at', None), ('slot', 1), ('slot__isnull', False), ('status__in', ('queued', 'running'))), models.Q(models.Q(('status__in', ('queued', 'running')), _negated=True), ('finished_at__isnull', False), ('slot', None)), _connector='OR'), name='run_holds_the_slot_while_it_is_alive'),
        ),
        migrations.AddConstraint(
            model_name='trainingrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'done'), _negated=True), models.Q(('candidate__isnull', False), models.Q(('manifest_sha256', ''), _negated=True)), _connector='OR'), name='run_that_is_done_has_a_candidate'),
        ),
        migrations.AddConstraint(
            model_name='trainingrun',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'failed'), _negated=True), models.Q(('error', ''), _negated=True), _connector='OR'), name='failed_run_says_why'),
        ),
        migrations.AddConstraint(
            model_name='trainingrun',
            constraint=models.CheckConstraint(condition=models.Q(('share_done__gte', 0), ('share_done__lte', 1)), name='run_share_is_a_share'),
        ),
        migrations.AddIndex(
            model_name='manifestentry',
            index=models.Index(fields=['image_sha256', 'part'], name='manifests_by_file'),
        ),
        migrations.AddConstraint(
            model_name='manifestentry',
            constraint=models.UniqueConstraint(fields=('run', 'image'), name='photograph_is_in_a_manifest_once'),
        ),
        migrations.AddConstraint(
            model_name='manifestentry',
            constraint=models.CheckConstraint(condition=models.Q(('part__in', ['train', 'test'])), name='manifest_part_is_known'),
        ),
        migrations.AddConstraint(
            model_name='manifestentry',
            constraint=models.CheckConstraint(condition=models.Q(('code__in', ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc'))), name='manifest_code_is_known'),
        ),
        migrations.AddConstraint(
            model_name='manifestentry',
            constraint=models.CheckConstraint(condition=models.Q(('features_sha256__regex', '^[0-9a-f]{64}$'), ('image_sha256__regex', '^[0-9a-f]{64}$')), name='manifest_holds_hashes'),
        ),
        migrations.AddConstraint(
            model_name='versionproposal',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'approved', 'declined', 'withdrawn', 'lapsed'])), name='proposal_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='versionproposal',
            constraint=models.CheckConstraint(condition=models.Q(('needs__in', ['person', 'clinic'])), name='proposal_need_is_known'),
        ),
        migrations.AddConstraint(
            model_name='versionproposal',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='proposal_states_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='versionproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('version',), name='one_waiting_proposal_of_a_version'),
        ),
        migrations.AddConstraint(
            model_name='versionproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('state', 'waiting')), models.Q(models.Q(('state', 'waiting'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='proposal_that_is_over_has_a_time'),
        ),
        migrations.AddConstraint(
            model_name='versionproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_by__isnull', False), ('decision__isnull', False), ('state', 'approved')), models.Q(models.Q(('state', 'approved'), _negated=True), ('decision__isnull', True)), _connector='OR'), name='approved_proposal_names_who_and_what_came_of_it'),
        ),
        migrations.AddConstraint(
            model_name='versionproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='proposal_is_approved_by_somebody_else'),
        ),
        migrations.AddConstraint(
            model_name='versionproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('needs', 'clinic'), ('state', 'approved'), _negated=True), ('decided_clinic__isnull', True), ('proposed_clinic__isnull', True), models.Q(('decided_clinic', models.F('proposed_clinic')), _negated=True), _connector='OR'), name='proposal_is_approved_by_another_clinic_where_it_needs_one'),
        ),
        migrations.AddConstraint(
            model_name='watchday',
            constraint=models.UniqueConstraint(fields=('clinic', 'day'), name='watch_keeps_one_row_a_day_of_a_clinic'),
        ),
        migrations.AddConstraint(
            model_name='watchday',
            constraint=models.UniqueConstraint(condition=models.Q(('clinic__isnull', True)), fields=('day',), name='watch_keeps_one_row_a_day_of_all_clinics'),
        ),
        migrations.AddConstraint(
            model_name='watchday',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('distance__isnull', True), ('limit__isnull', True), ('photographs', 0), ('stability_index__isnull', True)), models.Q(('distance__gte', 0), ('distance__isnull', False), ('photographs__gt', 0), ('stability_index__gte', 0), ('stability_index__isnull', False)), _connector='OR'), name='watch_day_has_a_distance_where_photographs_were_compared'),
        ),
        migrations.AddConstraint(
            model_name='watchday',
            constraint=models.CheckConstraint(condition=models.Q(('median_days__gte', 0), ('oldest_days__gte', models.F('median_days'))), name='watch_day_oldest_waited_at_least_as_long_as_the_median'),
        ),
        migrations.AddConstraint(
            model_name='watchday',
            constraint=models.CheckConstraint(condition=models.Q(('waiting__gt', 0), ('oldest_days', 0), _connector='OR'), name='watch_day_without_a_queue_has_no_age'),
        ),
        migrations.AddConstraint(
            model_name='withholding',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('report',), name='report_is_withheld_once_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='withholding',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['diagnosis', 'plan', 'details'])), name='withholding_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='withholding',
            constraint=models.CheckConstraint(condition=models.Q(('note', ''), _negated=True), name='withholding_says_what_is_wrong'),
        ),
        migrations.AddConstraint(
            model_name='withholding',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__gte', models.F('created_at')), ('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='withholding_ends_after_it_began_by_someone'),
        ),
        AppendOnly("addendum", "addendum_is_frozen"),
        AppendOnly("answersettings", "answer_settings_are_append_only"),
        AppendOnly("manifestentry", "manifestentry_is_frozen"),
        AppendOnly("testassignment", "testassignment_is_frozen"),
        AppendOnly("labelchange", "labelchange_is_append_only", frozen=("id", "image_id", "number", "before_state", "before_answer", "after_state", "after_answer", "cause", "why", "review_id")),
        AppendOnly("review", "review_is_append_only", frozen=("id", "image_id", "reviewer_id", "answer", "other_text", "certainty", "basis", "reason", "was_blinded", "step")),
        AppendOnly("reviewretraction", "reviewretraction_is_append_only", frozen=("id", "review_id")),
        AppendOnly("exclusion", "exclusion_is_append_only", frozen=("id", "image_id", "reason", "note", "member_id", "created_at"), once=("ended_by_id", "ended_at")),
        AppendOnly("withholding", "withholding_is_append_only", frozen=("id", "report_id", "reason", "note", "member_id", "created_at"), once=("ended_by_id", "ended_at")),
        AppendOnly("report", "report_is_frozen", frozen=("id", "visit_id", "signed_by_id", "signed_at", "content", "content_sha256", "pdf", "pdf_sha256"), once=("released_by_id", "released_at")),
        AppendOnly("report", "no_plan_reason_is_frozen", frozen=("no_plan_reason",)),
        DangerIsPlanned(),
    ]
