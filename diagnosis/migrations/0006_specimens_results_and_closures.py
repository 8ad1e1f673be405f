import datetime
import diagnosis.outcomes.models.pathology
import diagnosis.reviews.answers
import django.db.models.deletion
import uuid
from decimal import Decimal
from django.db import migrations, models

from dermascan.core.append_only import AppendOnly
from diagnosis.migrations._outcome_rules import OutcomeRules


class Migration(migrations.Migration):

    dependencies = [
        ("diagnosis", "0005_photograph_facts_and_devices"),
        ("patients", "0002_kinds_of_messages"),
    ]

    operations = [
        migrations.CreateModel(
            name='PathologyResult',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveSmallIntegerField(help_text="Counts the specimen's results from 1.")),
                ('reason', models.TextField(blank=True, default='', help_text='Why it was amended; empty for the first.')),
                ('received_on', models.DateField()),
                ('reported_by', models.CharField(blank=True, default='', max_length=120)),
                ('answer', models.CharField(choices=diagnosis.reviews.answers.answer_choices, max_length=16)),
                ('other_text', models.CharField(blank=True, default='', max_length=200)),
                ('invasion', models.CharField(blank=True, choices=[('in_situ', 'In situ'), ('invasive', 'Invasive')], default='', max_length=10)),
                ('breslow_mm', models.DecimalField(decimal_places=2, max_digits=4, null=True)),
                ('ulceration', models.CharField(blank=True, choices=[('yes', 'Ulcerated'), ('no', 'Not ulcerated')], default='', max_length=5)),
                ('margins', models.CharField(choices=[('clear', 'Clear'), ('involved', 'Involved'), ('not_stated', 'Not stated')], default='not_stated', max_length=12)),
                ('report_text', models.TextField(blank=True, default='')),
                ('file', models.FileField(blank=True, max_length=120, upload_to=diagnosis.outcomes.models.pathology.report_path)),
                ('file_name', models.CharField(blank=True, default='', max_length=200)),
                ('file_type', models.CharField(blank=True, default='', max_length=40)),
                ('file_sha256', models.CharField(blank=True, default='', max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('counted_after', models.PositiveBigIntegerField(help_text='The newest step when it was confirmed: what was said before came without it.', null=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('withdrawal_reason', models.TextField(null=True)),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('entered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('withdrawn_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
            ],
            options={
                'ordering': ['specimen', '-number'],
            },
        ),
        migrations.CreateModel(
            name='ResultReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('result', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='diagnosis.pathologyresult')),
                ('review', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='pathology', to='diagnosis.review')),
            ],
        ),
        migrations.CreateModel(
            name='Specimen',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('shave', 'Shave biopsy'), ('punch', 'Punch biopsy'), ('incisional', 'Incisional biopsy'), ('excision', 'Excision')], max_length=12)),
                ('number', models.CharField(max_length=40, null=True)),
                ('number_key', models.CharField(help_text='The number without case, spaces and dashes, for comparison.', max_length=60, null=True)),
                ('sent_on', models.DateField()),
                ('laboratory', models.CharField(blank=True, default='', max_length=120)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('withdrawal_reason', models.TextField(null=True)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.clinic')),
                ('lesion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='specimens', to='patients.lesion')),
                ('recorded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('sent_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('visit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='specimens', to='patients.visit')),
                ('withdrawn_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
            ],
            options={
                'ordering': ['-sent_on', '-created_at'],
            },
        ),
        migrations.AddField(
            model_name='pathologyresult',
            name='specimen',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='results', to='diagnosis.specimen'),
        ),
        migrations.CreateModel(
            name='LesionClosure',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('why', models.CharField(choices=[('excised', 'Excised, no further follow-up needed'), ('harmless', 'Harmless, discharged'), ('gone', 'No longer there'), ('elsewhere', 'Followed elsewhere'), ('other', 'Another reason')], max_length=10)),
                ('note', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('reopened_at', models.DateTimeField(null=True)),
                ('reopening_reason', models.TextField(null=True)),
                ('closed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('lesion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='closures', to='patients.lesion')),
                ('reopened_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
            ],
            options={
                'ordering': ['-created_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('reopened_at__isnull', True)), fields=('lesion',), name='lesion_is_closed_once_at_a_time'), models.CheckConstraint(condition=models.Q(('why__in', ['excised', 'harmless', 'gone', 'elsewhere', 'other'])), name='lesion_is_closed_for_a_known_reason'), models.CheckConstraint(condition=models.Q(models.Q(('why', 'other'), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='lesion_is_closed_with_another_reason_in_words'), models.CheckConstraint(condition=models.Q(models.Q(('reopened_at__isnull', True), ('reopened_by__isnull', True), ('reopening_reason__isnull', True)), models.Q(('reopened_at__isnull', False), ('reopened_by__isnull', False), ('reopening_reason__isnull', False), models.Q(('reopening_reason', ''), _negated=True)), _connector='OR'), name='lesion_is_reopened_by_someone_for_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='ContradictedReport',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('said', models.CharField(help_text='What the report and its addenda said of the lesion.', max_length=300)),
                ('is_miss', models.BooleanField(help_text='The result is malignant, and the report did not warn of it.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contradicted_by', to='diagnosis.report')),
                ('result', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contradicted_reports', to='diagnosis.pathologyresult')),
            ],
            options={
                'ordering': ['-created_at'],
                'constraints': [models.UniqueConstraint(fields=('result', 'report'), name='report_is_contradicted_once_by_a_result'), models.CheckConstraint(condition=models.Q(('said', ''), _negated=True), name='contradicted_report_said_something')],
            },
        ),
        migrations.AddIndex(
            model_name='specimen',
            index=models.Index(condition=models.Q(('withdrawn_at__isnull', True)), fields=['clinic', 'sent_on', 'id'], name='specimens_by_age'),
        ),
        migrations.AddConstraint(
            model_name='specimen',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['shave', 'punch', 'incisional', 'excision'])), name='specimen_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='specimen',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('number__isnull', True), ('number_key__isnull', True)), models.Q(('number__isnull', False), ('number_key__isnull', False), models.Q(('number', ''), _negated=True), models.Q(('number_key', ''), _negated=True)), _connector='OR'), name='specimen_number_is_not_empty'),
        ),
        migrations.AddConstraint(
            model_name='specimen',
            constraint=models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('clinic', 'number_key'), name='specimen_number_is_unique_in_the_clinic'),
        ),
        migrations.AddConstraint(
            model_name='specimen',
            constraint=models.CheckConstraint(condition=models.Q(('sent_on__gte', datetime.date(1990, 1, 1))), name='specimen_date_is_plausible'),
        ),
        migrations.AddConstraint(
            model_name='specimen',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('withdrawal_reason__isnull', True), ('withdrawn_at__isnull', True), ('withdrawn_by__isnull', True)), models.Q(('withdrawal_reason__isnull', False), ('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False), models.Q(('withdrawal_reason', ''), _negated=True)), _connector='OR'), name='specimen_is_withdrawn_by_someone_for_a_reason'),
        ),
        migrations.AddIndex(
            model_name='pathologyresult',
            index=models.Index(fields=['-confirmed_at'], name='pathology_by_confirmation'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.UniqueConstraint(fields=('specimen', 'number'), name='pathology_number_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('number', 1), ('reason', '')), models.Q(('number__gt', 1), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='pathology_is_amended_for_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.CheckConstraint(condition=models.Q(('answer__in', ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', 'scc', 'keratoacanthoma', 'lentigo_maligna', 'merkel', 'metastasis', 'mf', 'lymphoma', 'kaposi', 'dfsp', 'afx', 'sebaceous_ca', 'adnexal_ca', 'paget', 'angiosarcoma', 'meltump', 'spitz_atypical', 'uncertain_skin', 'spitz', 'atypical_nevus', 'blue_nevus', 'lentigo_simplex', 'nevus_sebaceus', 'sebaceous_hyp', 'adnexal_tumour', 'neurofibroma', 'lipoma', 'skin_tag', 'cyst', 'scar', 'keloid', 'haemorrhage', 'pigmentation', 'porokeratosis', 'cnh', 'dermatitis', 'psoriasis', 'lichen_planus', 'prurigo', 'granuloma_ann', 'lupus', 'rosacea', 'wart', 'molluscum', 'tinea', 'abscess', 'other', 'other_malignant', 'other_benign', 'cannot_tell'))), name='pathology_answer_is_known'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer__in', ('other', 'other_malignant', 'other_benign')), models.Q(('other_text', ''), _negated=True)), models.Q(models.Q(('answer__in', ('other', 'other_malignant', 'other_benign')), _negated=True), ('other_text', '')), _connector='OR'), name='pathology_says_what_else_it_is'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.CheckConstraint(condition=models.Q(('invasion', ''), models.Q(('answer', 'mel'), ('invasion__in', ['in_situ', 'invasive'])), _connector='OR'), name='pathology_invasion_is_of_a_melanoma'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.CheckConstraint(condition=models.Q(('breslow_mm__isnull', True), models.Q(('answer', 'mel'), ('invasion', 'invasive'), ('breslow_mm__gte', Decimal('0.05')), ('breslow_mm__lte', Decimal('50'))), _connector='OR'), name='pathology_breslow_is_of_an_invasive_melanoma'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.CheckConstraint(condition=models.Q(('ulceration', ''), models.Q(('answer', 'mel'), ('invasion', 'invasive'), ('ulceration__in', ['yes', 'no'])), _connector='OR'), name='pathology_ulceration_is_of_an_invasive_melanoma'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.CheckConstraint(condition=models.Q(('margins__in', ['clear', 'involved', 'not_stated'])), name='pathology_margins_are_known'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('file', ''), ('file_name', ''), ('file_sha256', ''), ('file_type', '')), models.Q(models.Q(('file', ''), _negated=True), models.Q(('file_name', ''), _negated=True), models.Q(('file_type', ''), _negated=True), ('file_sha256__regex', '^[0-9a-f]{64}$')), _connector='OR'), name='pathology_file_is_described'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True), ('counted_after__isnull', True)), models.Q(('confirmed_at__isnull', False), ('confirmed_by__isnull', False), ('counted_after__isnull', False)), _connector='OR'), name='pathology_is_confirmed_by_someone'),
        ),
        migrations.AddConstraint(
            model_name='pathologyresult',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('withdrawal_reason__isnull', True), ('withdrawn_at__isnull', True), ('withdrawn_by__isnull', True)), models.Q(('withdrawal_reason__isnull', False), ('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False), models.Q(('withdrawal_reason', ''), _negated=True)), _connector='OR'), name='pathology_is_withdrawn_by_someone_for_a_reason'),
        ),
        OutcomeRules(),
        AppendOnly("specimen", "specimen_is_append_only", frozen=("id", "clinic_id", "lesion_id", "visit_id", "kind", "sent_on", "sent_by_id", "laboratory", "recorded_by_id", "created_at"), once=("number", "number_key", "withdrawn_by_id", "withdrawn_at", "withdrawal_reason")),
        AppendOnly("pathologyresult", "pathologyresult_is_append_only", frozen=("id", "specimen_id", "number", "reason", "received_on", "reported_by", "answer", "other_text", "invasion", "breslow_mm", "ulceration", "margins", "report_text", "file", "file_name", "file_type", "file_sha256", "entered_by_id", "created_at"), once=("confirmed_by_id", "confirmed_at", "counted_after", "withdrawn_by_id", "withdrawn_at", "withdrawal_reason")),
        AppendOnly("resultreview", "resultreview_is_append_only"),
        AppendOnly("lesionclosure", "lesionclosure_is_append_only", frozen=("id", "lesion_id", "why", "note", "closed_by_id", "created_at"), once=("reopened_by_id", "reopened_at", "reopening_reason")),
        AppendOnly("contradictedreport", "contradictedreport_is_append_only"),
    ]
