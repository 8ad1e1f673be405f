"""Answers beyond the seven classes, labels derived in one place, and the queue of what waits for a dermatologist.

What was said before is kept: ``code`` becomes ``answer``, and the labels that the newest deciding reviews made are
derived from them as they were. ``manage.py refresh_queue`` fills the queue (``make run`` does so itself).
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery

# What was said cannot be changed, whoever asks the database. (When it was said may be: invented records are dated back.)
FROZEN = {
    "review": ("id", "image_id", "reviewer_id", "answer", "other_text", "certainty", "basis", "reason", "was_blinded"),
    "reviewretraction": ("id", "review_id"),
    "labelchange": (
        "id", "image_id", "number", "before_state", "before_answer", "after_state", "after_answer", "cause", "why",
        "review_id",
    ),
}


def freeze(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for model, columns in FROZEN.items():
        table, name = f"diagnosis_{model}", f"{model}_is_append_only"
        if vendor == "sqlite":
            changed = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in columns)
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN {changed} "
                f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
            )
        elif vendor == "postgresql":
            changed = " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in columns)
            schema_editor.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
            )
            schema_editor.execute(
                f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({changed}) "
                f"EXECUTE FUNCTION {name}()"
            )


def thaw(apps, schema_editor):
    vendor = schema_editor.connection.vendor
    for model in FROZEN:
        table, name = f"diagnosis_{model}", f"{model}_is_append_only"
        if vendor == "sqlite":
            schema_editor.execute(f"DROP TRIGGER {name}")
        elif vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {name} ON {table}")
            schema_editor.execute(f"DROP FUNCTION {name}()")


def derive_labels(apps, schema_editor):
    """Until now the newest review that was certain or probable was the label."""
    Review, ConfirmedLabel = apps.get_model("diagnosis", "Review"), apps.get_model("diagnosis", "ConfirmedLabel")
    LabelChange = apps.get_model("diagnosis", "LabelChange")
    deciding = Review.objects.filter(certainty__in=("certain", "probable"))
    newest = deciding.filter(image=OuterRef("image")).order_by("-created_at", "-pk").values("pk")[:1]
    labels, changes = [], []

    def keep():
        ConfirmedLabel.objects.bulk_create(labels)
        changes_made = LabelChange.objects.bulk_create(changes)
        for change, label in zip(changes_made, labels, strict=True):
            change.created_at = label.settled_at
        LabelChange.objects.bulk_update(changes_made, ["created_at"])
        labels.clear()
        changes.clear()

    for review in deciding.filter(pk=Subquery(newest)).iterator(chunk_size=1000):
        labels.append(
            ConfirmedLabel(
                image_id=review.image_id,
                state="settled",
                answer=review.answer,
                basis=review.basis,
                why="newest_opinion",
                settled_at=review.created_at,
                review=review,
                readers=[str(review.reviewer_id)],
                rule="one_reader",
            )
        )
        changes.append(
            LabelChange(
                image_id=review.image_id,
                number=1,
                before_state="open",
                after_state="settled",
                after_answer=review.answer,
                cause="review",
                why="newest_opinion",
                review=review,
            )
        )
        if len(labels) >= 500:
            keep()
    keep()


class Migration(migrations.Migration):

    dependencies = [
        ('diagnosis', '0005_measurement'),
        ('patients', '0004_clinic_review_rule'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='review', name='review_label_is_known'),
        migrations.RenameField(model_name='review', old_name='code', new_name='answer'),
        migrations.CreateModel(
            name='ConfirmedLabel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Open'), ('disputed', 'Disputed'), ('settled', 'Settled')], max_length=10)),
                ('answer', models.CharField(blank=True, choices=[('akiec', "Actinic keratosis or Bowen's disease"), ('bcc', 'Basal cell carcinoma'), ('bkl', 'Benign keratosis'), ('df', 'Dermatofibroma'), ('mel', 'Melanoma'), ('nv', 'Melanocytic nevus'), ('vasc', 'Vascular lesion'), ('other', 'Something else'), ('cannot_tell', 'Cannot tell'), ('not_a_lesion', 'Not a lesion')], default='', max_length=16)),
                ('basis', models.CharField(blank=True, choices=[('histopathology', 'Histopathology'), ('follow_up', 'Follow-up'), ('consensus', 'Consensus of dermatologists'), ('dermatoscopy', 'Dermatoscopy')], default='', max_length=16)),
                ('why', models.CharField(choices=[('nothing_decides', 'no opinion decides'), ('newest_opinion', 'one reader decides here, and the newest opinion counts'), ('second_missing', 'one blinded reader has decided, and it takes two'), ('readers_agree', 'blinded readers agree'), ('readers_differ', 'two blinded readers differ, so a third is asked'), ('most_agree', 'most of the blinded readers agree'), ('no_majority', 'three blinded readers or more differ, so it takes a consensus or histopathology'), ('consensus', 'a consensus outranks single opinions'), ('histopathology', 'histopathology outranks opinions')], max_length=16)),
                ('settled_at', models.DateTimeField(null=True)),
                ('readers', models.JSONField(default=list, help_text='Identifiers of the members whose answers were weighed.')),
                ('rule', models.CharField(choices=[('one_reader', 'One reader: the newest opinion'), ('two_blinded_readers', 'Two blinded readers, and a third where they differ')], help_text='The rule that was applied.', max_length=20)),
            ],
        ),
        migrations.CreateModel(
            name='LabelChange',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(help_text="Counts the image's changes from 1.")),
                ('before_state', models.CharField(choices=[('open', 'Open'), ('disputed', 'Disputed'), ('settled', 'Settled')], max_length=10)),
                ('before_answer', models.CharField(blank=True, choices=[('akiec', "Actinic keratosis or Bowen's disease"), ('bcc', 'Basal cell carcinoma'), ('bkl', 'Benign keratosis'), ('df', 'Dermatofibroma'), ('mel', 'Melanoma'), ('nv', 'Melanocytic nevus'), ('vasc', 'Vascular lesion'), ('other', 'Something else'), ('cannot_tell', 'Cannot tell'), ('not_a_lesion', 'Not a lesion')], default='', max_length=16)),
                ('after_state', models.CharField(choices=[('open', 'Open'), ('disputed', 'Disputed'), ('settled', 'Settled')], max_length=10)),
                ('after_answer', models.CharField(blank=True, choices=[('akiec', "Actinic keratosis or Bowen's disease"), ('bcc', 'Basal cell carcinoma'), ('bkl', 'Benign keratosis'), ('df', 'Dermatofibroma'), ('mel', 'Melanoma'), ('nv', 'Melanocytic nevus'), ('vasc', 'Vascular lesion'), ('other', 'Something else'), ('cannot_tell', 'Cannot tell'), ('not_a_lesion', 'Not a lesion')], default='', max_length=16)),
                ('cause', models.CharField(choices=[('review', 'A review was added'), ('retraction', 'A review was taken back'), ('rule', "The clinic's rule for reviews changed")], max_length=10)),
                ('why', models.CharField(choices=[('nothing_decides', 'no opinion decides'), ('newest_opinion', 'one reader decides here, and the newest opinion counts'), ('second_missing', 'one blinded reader has decided, and it takes two'), ('readers_agree', 'blinded readers agree'), ('readers_differ', 'two blinded readers differ, so a third is asked'), ('most_agree', 'most of the blinded readers agree'), ('no_majority', 'three blinded readers or more differ, so it takes a consensus or histopathology'), ('consensus', 'a consensus outranks single opinions'), ('histopathology', 'histopathology outranks opinions')], max_length=16)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['-number'],
            },
        ),
        migrations.CreateModel(
            name='QueueEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done')], max_length=10)),
                ('priority', models.FloatField(default=0)),
                ('reasons', models.JSONField(default=list, help_text='Codes of Reason, the weightiest first.')),
                ('reason', models.CharField(blank=True, choices=[('readers_disagree', 'Readers disagree'), ('urgent', 'The network finds it urgent'), ('tier_changed', 'A new network changed its tier'), ('overridden', 'Refused, and judged all the same'), ('network_disagrees', 'Network and reader disagree'), ('refused', 'Refused by the quality check'), ('malignant_suspicion', 'Malignancy suspected'), ('random_share', 'Part of the random sample'), ('drift_outlier', 'Unlike what the network was trained on'), ('uncertain', 'The network is uncertain'), ('no_label', 'No confirmed label yet')], default='', max_length=20, verbose_name='why')),
                ('needs', models.PositiveSmallIntegerField(default=0, help_text='Which reader is asked for: 1, 2 or 3; 4 is a consensus, 0 nobody.')),
                ('claimed_until', models.DateTimeField(null=True)),
                ('entered_at', models.DateTimeField(help_text='Or, of one that is done, since when it was.', verbose_name='waiting since')),
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
            ],
        ),
        migrations.CreateModel(
            name='ReviewRetraction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.AddField(
            model_name='review',
            name='basis',
            field=models.CharField(choices=[('histopathology', 'Histopathology'), ('follow_up', 'Follow-up'), ('consensus', 'Consensus of dermatologists'), ('dermatoscopy', 'Dermatoscopy')], default='dermatoscopy', max_length=16, verbose_name='how it is known'),
        ),
        migrations.AddField(
            model_name='review',
            name='other_text',
            field=models.CharField(blank=True, default='', max_length=200, verbose_name='what else it is'),
        ),
        migrations.AddField(
            model_name='review',
            name='was_blinded',
            field=models.BooleanField(default=False, help_text="The network's answer was hidden until this one was given.", verbose_name='blinded'),
        ),
        migrations.AlterField(
            model_name='review',
            name='answer',
            field=models.CharField(choices=[('akiec', "Actinic keratosis or Bowen's disease"), ('bcc', 'Basal cell carcinoma'), ('bkl', 'Benign keratosis'), ('df', 'Dermatofibroma'), ('mel', 'Melanoma'), ('nv', 'Melanocytic nevus'), ('vasc', 'Vascular lesion'), ('other', 'Something else'), ('cannot_tell', 'Cannot tell'), ('not_a_lesion', 'Not a lesion')], max_length=16, verbose_name='answer'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['reviewer', '-created_at'], name='reviews_of_a_reader'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('answer__in', ('akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', 'other', 'cannot_tell', 'not_a_lesion'))), name='review_answer_is_known'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer', 'other'), models.Q(('other_text', ''), _negated=True)), models.Q(models.Q(('answer', 'other'), _negated=True), ('other_text', '')), _connector='OR'), name='review_says_what_else_it_is'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('basis__in', ['histopathology', 'follow_up', 'consensus', 'dermatoscopy'])), name='review_basis_is_known'),
        ),
        migrations.AddField(
            model_name='confirmedlabel',
            name='image',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='label', to='diagnosis.image'),
        ),
        migrations.AddField(
            model_name='confirmedlabel',
            name='review',
            field=models.ForeignKey(help_text='The one with which it was settled last.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='diagnosis.review'),
        ),
        migrations.AddField(
            model_name='labelchange',
            name='image',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='label_changes', to='diagnosis.image'),
        ),
        migrations.AddField(
            model_name='labelchange',
            name='review',
            field=models.ForeignKey(help_text='The one that was added or taken back.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='label_changes', to='diagnosis.review'),
        ),
        migrations.AddField(
            model_name='queueentry',
            name='claimed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member'),
        ),
        migrations.AddField(
            model_name='queueentry',
            name='clinic',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.clinic'),
        ),
        migrations.AddField(
            model_name='queueentry',
            name='image',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='queue_entry', to='diagnosis.image'),
        ),
        migrations.AddField(
            model_name='queueskip',
            name='image',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='skips', to='diagnosis.image'),
        ),
        migrations.AddField(
            model_name='queueskip',
            name='member',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.member'),
        ),
        migrations.AddField(
            model_name='reviewretraction',
            name='review',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='retraction', to='diagnosis.review'),
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
            constraint=models.CheckConstraint(condition=models.Q(('answer__in', ('', 'akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', 'other', 'cannot_tell', 'not_a_lesion'))), name='label_answer_is_known'),
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
            constraint=models.CheckConstraint(condition=models.Q(('after_answer__in', ('', 'akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', 'other', 'cannot_tell', 'not_a_lesion')), ('before_answer__in', ('', 'akiec', 'bcc', 'bkl', 'df', 'mel', 'nv', 'vasc', 'other', 'cannot_tell', 'not_a_lesion'))), name='label_change_answers_are_known'),
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
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('needs__gte', 1), ('needs__lte', 4), ('reason__in', ['readers_disagree', 'urgent', 'tier_changed', 'overridden', 'network_disagrees', 'refused', 'malignant_suspicion', 'random_share', 'drift_outlier', 'uncertain', 'no_label']), ('state', 'waiting')), models.Q(('claimed_by', None), ('needs', 0), ('reason', ''), ('state', 'done')), _connector='OR'), name='queue_entry_waits_for_somebody_for_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='queueentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('claimed_by__isnull', True), ('claimed_until__isnull', True)), models.Q(('claimed_by__isnull', False), ('claimed_until__isnull', False)), _connector='OR'), name='queue_claim_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='queueskip',
            constraint=models.UniqueConstraint(fields=('image', 'member'), name='photograph_is_skipped_once'),
        ),
        # Last: a table that is made anew on SQLite loses its triggers, and PostgreSQL alters no table with rows in flight.
        migrations.RunPython(freeze, thaw),
        migrations.RunPython(derive_labels, migrations.RunPython.noop),
    ]
