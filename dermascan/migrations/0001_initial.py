# The tables of version 0.1.0. From here on migrations are for keeps: add one, change none.

import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='ContactMessage',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120, verbose_name='your name')),
                ('email', models.EmailField(help_text='Only used to answer you.', max_length=254, verbose_name='your e-mail address')),
                ('message', models.TextField(max_length=5000, verbose_name='your message')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='received')),
                ('is_handled', models.BooleanField(default=False, verbose_name='handled')),
            ],
            options={
                'verbose_name': 'message',
                'ordering': ['-created_at', 'id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='contact_message_has_a_name'), models.CheckConstraint(condition=models.Q(('email', ''), _negated=True), name='contact_message_has_an_address'), models.CheckConstraint(condition=models.Q(('message', ''), _negated=True), name='contact_message_is_not_empty')],
            },
        ),
        migrations.CreateModel(
            name='Submission',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('key_digest', models.CharField(max_length=64)),
                ('content_digest', models.CharField(max_length=64)),
                ('result', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('key_digest', 'content_digest'), name='a_submission_has_one_result'), models.CheckConstraint(condition=models.Q(('key_digest', ''), _negated=True), name='submission_has_a_key')],
            },
        ),
        migrations.CreateModel(
            name='WorkerHeartbeat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, unique=True, verbose_name='worker')),
                ('queue', models.CharField(max_length=100, verbose_name='queue')),
                ('process', models.PositiveIntegerField(verbose_name='process')),
                ('task', models.CharField(blank=True, default='', max_length=200, verbose_name='at work on')),
                ('heard_at', models.DateTimeField(verbose_name='last heard of')),
            ],
            options={
                'verbose_name': 'worker',
                'ordering': ['queue', 'name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='heartbeat_names_its_worker'), models.CheckConstraint(condition=models.Q(('queue', ''), _negated=True), name='heartbeat_names_its_queue')],
            },
        ),
    ]
