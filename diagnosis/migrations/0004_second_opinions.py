import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.db import migrations, models

from dermascan.core.append_only import AppendOnly

_REVIEW = ("id", "image_id", "reviewer_id", "answer", "other_text", "certainty", "basis", "reason", "was_blinded", "step")


class Migration(migrations.Migration):

    dependencies = [
        ('diagnosis', '0003_kinds_of_incidents'),
        ('patients', '0002_kinds_of_messages'),
    ]

    operations = [
        AppendOnly('review', 'review_is_append_only', frozen=_REVIEW),
        migrations.AlterField(
            model_name='review',
            name='reviewer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='patients.member'),
        ),
        migrations.CreateModel(
            name='OpinionRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('question', models.TextField(max_length=1000)),
                ('shares_age_and_sex', models.BooleanField(default=False)),
                ('expires_at', models.DateTimeField()),
                ('code_number', models.PositiveSmallIntegerField(default=0, help_text='How many codes were given out.')),
                ('code_hash', models.CharField(blank=True, default='', help_text='Of the newest code.', max_length=128)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('answered_at', models.DateTimeField(null=True)),
                ('seen_at', models.DateTimeField(help_text='When the asking dermatologist opened the answer.', null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='opinions_asked', to='patients.member')),
                ('colleague', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='opinions_asked_of', to='patients.member')),
                ('lesion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='opinion_requests', to='patients.lesion')),
                ('revoked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
            ],
            options={
                'ordering': ['-created_at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='OpinionPhotograph',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='opinion_photographs', to='diagnosis.image')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='photographs', to='diagnosis.opinionrequest')),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='OpinionAccess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('link', 'The link was opened'), ('wrong_code', 'A wrong code was entered'), ('code', 'The code was entered: the photographs were shown'), ('shown', 'The photographs were shown again'), ('answer', 'The answer was sent')], max_length=10)),
                ('code_number', models.PositiveSmallIntegerField()),
                ('network', models.CharField(help_text='The address that it came from.', max_length=64)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accesses', to='diagnosis.opinionrequest')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='OpinionReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='answers', to='diagnosis.opinionrequest')),
                ('review', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='second_opinion', to='diagnosis.review')),
            ],
        ),
        migrations.CreateModel(
            name='OutsideReader',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('full_name', models.CharField(max_length=120)),
                ('institution', models.CharField(blank=True, default='', max_length=120)),
                ('email', models.CharField(max_length=254, validators=[django.core.validators.EmailValidator()])),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.clinic')),
            ],
            options={
                'ordering': ['full_name', 'id'],
            },
        ),
        migrations.AddField(
            model_name='opinionrequest',
            name='outside_reader',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='diagnosis.outsidereader'),
        ),
        migrations.AddField(
            model_name='review',
            name='outside_reader',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='diagnosis.outsidereader'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outside_reader__isnull', True), ('reviewer__isnull', False)), models.Q(('outside_reader__isnull', False), ('reviewer__isnull', True)), _connector='OR'), name='review_has_one_reader'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('outside_reader__isnull', True), models.Q(('basis', 'dermatoscopy'), ('was_blinded', False)), _connector='OR'), name='outside_review_is_an_opinion'),
        ),
        migrations.AddConstraint(
            model_name='opinionphotograph',
            constraint=models.UniqueConstraint(fields=('request', 'image'), name='photograph_is_shared_once_in_a_request'),
        ),
        migrations.AddConstraint(
            model_name='opinionphotograph',
            constraint=models.UniqueConstraint(fields=('request', 'number'), name='shared_photograph_has_its_own_number'),
        ),
        migrations.AddConstraint(
            model_name='opinionphotograph',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='shared_photographs_are_numbered_from_one'),
        ),
        migrations.AddConstraint(
            model_name='opinionaccess',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['link', 'wrong_code', 'code', 'shown', 'answer'])), name='opinion_access_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='outsidereader',
            constraint=models.UniqueConstraint(models.F('clinic'), django.db.models.functions.text.Lower('email'), models.F('full_name'), models.F('institution'), name='outside_reader_is_listed_once'),
        ),
        migrations.AddConstraint(
            model_name='outsidereader',
            constraint=models.CheckConstraint(condition=models.Q(('full_name', ''), _negated=True), name='outside_reader_has_a_name'),
        ),
        migrations.AddConstraint(
            model_name='outsidereader',
            constraint=models.CheckConstraint(condition=models.Q(('email__contains', '@')), name='outside_reader_has_an_address'),
        ),
        migrations.AddIndex(
            model_name='opinionrequest',
            index=models.Index(fields=['asked_by', '-created_at'], name='opinions_asked_by'),
        ),
        migrations.AddIndex(
            model_name='opinionrequest',
            index=models.Index(fields=['colleague', '-created_at'], name='opinions_asked_of'),
        ),
        migrations.AddConstraint(
            model_name='opinionrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('colleague__isnull', False), ('outside_reader__isnull', True)), models.Q(('colleague__isnull', True), ('outside_reader__isnull', False)), _connector='OR'), name='opinion_is_asked_of_one_doctor'),
        ),
        migrations.AddConstraint(
            model_name='opinionrequest',
            constraint=models.CheckConstraint(condition=models.Q(('colleague', models.F('asked_by')), _negated=True), name='opinion_is_asked_of_someone_else'),
        ),
        migrations.AddConstraint(
            model_name='opinionrequest',
            constraint=models.CheckConstraint(condition=models.Q(('question', ''), _negated=True), name='opinion_request_asks_something'),
        ),
        migrations.AddConstraint(
            model_name='opinionrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('code_hash', ''), ('code_number', 0), ('outside_reader__isnull', True)), models.Q(('code_number__gte', 1), ('outside_reader__isnull', False), models.Q(('code_hash', ''), _negated=True)), _connector='OR'), name='outside_opinion_needs_a_code'),
        ),
        migrations.AddConstraint(
            model_name='opinionrequest',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='opinion_request_expires_later'),
        ),
        migrations.AddConstraint(
            model_name='opinionrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('revoked_at__isnull', True), ('revoked_by__isnull', True)), models.Q(('revoked_at__isnull', False), ('revoked_by__isnull', False)), _connector='OR'), name='opinion_request_is_revoked_by_someone'),
        ),
        migrations.AddConstraint(
            model_name='opinionrequest',
            constraint=models.CheckConstraint(condition=models.Q(('revoked_at__isnull', True), ('answered_at__isnull', True), _connector='OR'), name='answered_opinion_is_not_revoked'),
        ),
        migrations.AddConstraint(
            model_name='opinionrequest',
            constraint=models.CheckConstraint(condition=models.Q(('seen_at__isnull', True), ('answered_at__isnull', False), _connector='OR'), name='only_an_answer_is_seen'),
        ),
        AppendOnly('review', 'review_is_append_only', frozen=(*_REVIEW, 'outside_reader_id')),
        AppendOnly('outsidereader', 'outside_reader_is_append_only'),
        AppendOnly(
            'opinionrequest',
            'opinion_request_is_append_only',
            frozen=(
                'id', 'lesion_id', 'asked_by_id', 'colleague_id', 'outside_reader_id', 'question',
                'shares_age_and_sex', 'expires_at', 'created_at',
            ),
            once=('answered_at', 'seen_at', 'revoked_at', 'revoked_by_id'),
        ),
        AppendOnly('opinionphotograph', 'opinion_photograph_is_append_only'),
        AppendOnly('opinionaccess', 'opinion_access_is_append_only'),
        AppendOnly('opinionreview', 'opinion_review_is_append_only'),
    ]
