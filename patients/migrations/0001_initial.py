# The tables of version 0.1.0. From here on migrations are for keeps: add one, change none.

import datetime
import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import patients.names
import uuid
from django.conf import settings
from django.db import migrations, models

from dermascan.core.append_only import AppendOnly


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'abstract': False,
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='Clinic',
            fields=[
                ('changed_at', models.DateTimeField(editable=False, null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120, unique=True)),
                ('address', models.TextField(blank=True)),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('review_rule', models.CharField(choices=[('one_reader', 'One reader: the newest opinion'), ('two_blinded_readers', 'Two blinded readers, and a third where they differ')], default='one_reader', help_text='Histopathology outranks opinions under either rule. Labels are recalculated when it changes.', max_length=20, verbose_name='rule for reviews')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Member',
            fields=[
                ('changed_at', models.DateTimeField(editable=False, null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(choices=[('staff', 'Staff'), ('dermatologist', 'Dermatologist'), ('manager', 'Manager')], max_length=20)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='patients.clinic')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='member', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['user__last_name', 'user__first_name'],
            },
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('role', models.CharField(choices=[('staff', 'Staff'), ('dermatologist', 'Dermatologist'), ('manager', 'Manager')], max_length=20)),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('prefix', models.CharField(max_length=8, verbose_name='begins with')),
                ('key_hash', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('last_used_on', models.DateField(blank=True, null=True, verbose_name='last used')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revoked')),
                ('revoked_because', models.CharField(blank=True, choices=[('by_hand', 'revoked'), ('replaced', 'replaced by a new one'), ('password', 'the password was changed'), ('deactivated', 'the account was deactivated'), ('role', 'role or clinic changed')], max_length=20, verbose_name='reason')),
                ('revoked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.clinic')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to='patients.member')),
            ],
            options={
                'verbose_name': 'API token',
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='OutgoingMessage',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('invitation', 'Link to choose a password'), ('password_reset', 'Link to reset a password'), ('account', 'About an account'), ('report', 'A report was released'), ('addendum', 'An addendum was added to a report'), ('withheld', 'A report is withheld'), ('contact', 'Message to the operator'), ('incident', 'Incident, by e-mail'), ('incident_call', 'Incident, by webhook')], max_length=20, verbose_name='kind')),
                ('about', models.UUIDField(help_text='The key of the object that the message is about.', null=True)),
                ('address', models.CharField(blank=True, default='', max_length=254, verbose_name='address')),
                ('subject', models.CharField(blank=True, default='', max_length=255)),
                ('body', models.TextField(blank=True, default='')),
                ('state', models.CharField(choices=[('waiting', 'Waiting to be sent'), ('sending', 'Being sent'), ('sent', 'Sent'), ('refused', 'Could not be delivered'), ('given_up', 'Given up'), ('cancelled', 'Not sent: no longer needed')], default='waiting', max_length=10, verbose_name='state')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='next attempt')),
                ('give_up_at', models.DateTimeField(verbose_name='tried until')),
                ('claim', models.UUIDField(help_text='The attempt that holds the row while it is being sent.', null=True)),
                ('lease_until', models.DateTimeField(help_text='When the attempt is considered dead.', null=True)),
                ('last_error', models.CharField(blank=True, default='', max_length=300, verbose_name='last error')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to=settings.AUTH_USER_MODEL, verbose_name='to')),
            ],
            options={
                'verbose_name': 'outgoing message',
                'ordering': ['-created_at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Patient',
            fields=[
                ('changed_at', models.DateTimeField(editable=False, null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('record_number', models.CharField(max_length=40, verbose_name='record number')),
                ('given_name', models.CharField(max_length=80, verbose_name='given name')),
                ('family_name', models.CharField(max_length=80, verbose_name='family name')),
                ('folded_name', patients.names.FoldedNameField(default='', editable=False, max_length=500)),
                ('folded_number', patients.names.FoldedNumberField(default='', editable=False, max_length=200)),
                ('birth_date', models.DateField(verbose_name='birth date')),
                ('sex', models.CharField(choices=[('female', 'Female'), ('male', 'Male'), ('other', 'Other'), ('unknown', 'Not recorded')], default='unknown', max_length=10)),
                ('skin_type', models.CharField(blank=True, choices=[('I', 'I – always burns, never tans'), ('II', 'II – usually burns, tans a little'), ('III', 'III – sometimes burns, tans'), ('IV', 'IV – rarely burns, tans well'), ('V', 'V – brown skin, very rarely burns'), ('VI', 'VI – dark brown or black skin, hardly ever burns'), ('', 'Not recorded')], default='', max_length=3, verbose_name='skin type (Fitzpatrick)')),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('history', models.TextField(blank=True, help_text='Skin cancer in the patient or family, sunburns, medicines.', verbose_name='medical history')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='patients', to='patients.clinic')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('user', models.OneToOneField(blank=True, help_text='The account with which the patient signs in, if any.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='patient', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['family_name', 'given_name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Lesion',
            fields=[
                ('changed_at', models.DateTimeField(editable=False, null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveSmallIntegerField(help_text="Counts the patient's lesions from 1.")),
                ('body_site', models.CharField(choices=[('scalp', 'Scalp'), ('face', 'Face'), ('eyelid', 'Eyelid'), ('nose', 'Nose'), ('lip', 'Lip'), ('ear', 'Ear'), ('neck', 'Neck'), ('chest', 'Chest'), ('abdomen', 'Abdomen'), ('back', 'Back'), ('flank', 'Flank'), ('shoulder', 'Shoulder'), ('armpit', 'Armpit'), ('upper_arm', 'Upper arm'), ('elbow', 'Elbow'), ('forearm', 'Forearm'), ('wrist', 'Wrist'), ('hand', 'Hand'), ('palm', 'Palm'), ('finger', 'Finger'), ('buttock', 'Buttock'), ('groin', 'Groin'), ('genital', 'Genital area'), ('thigh', 'Thigh'), ('knee', 'Knee'), ('lower_leg', 'Lower leg'), ('ankle', 'Ankle'), ('foot', 'Foot'), ('sole', 'Sole'), ('toe', 'Toe'), ('nail', 'Nail'), ('mucosa', 'Mouth or other mucosa')], max_length=20, verbose_name='body site')),
                ('side', models.CharField(choices=[('left', 'Left'), ('right', 'Right'), ('midline', 'Midline'), ('unknown', 'Not recorded')], default='unknown', max_length=10)),
                ('noticed_on', models.DateField(blank=True, null=True, verbose_name='first noticed')),
                ('noticed_precision', models.CharField(choices=[('day', 'Day'), ('month', 'Month'), ('year', 'Year')], default='day', max_length=5)),
                ('description', models.CharField(blank=True, help_text='Exact location or distinguishing features: “below the scar”.', max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lesions', to='patients.patient')),
            ],
            options={
                'ordering': ['patient', 'number'],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('sharing', 'Show to other clinics'), ('training', 'Train the network')], max_length=10)),
                ('number', models.PositiveIntegerField(help_text="Counts the patient's records for the purpose from 1.")),
                ('decision', models.CharField(choices=[('given', 'Agreed'), ('withdrawn', 'Refused or withdrawn')], max_length=10)),
                ('method', models.CharField(choices=[('signed_form', 'Signed form'), ('verbal', 'Verbally'), ('on_site', 'On the site')], max_length=12, verbose_name='how')),
                ('recorded_at', models.DateTimeField(auto_now_add=True)),
                ('recorded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='patients.patient')),
            ],
            options={
                'ordering': ['-recorded_at', '-number'],
            },
        ),
        migrations.CreateModel(
            name='AccountClosure',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('address', models.CharField(blank=True, help_text="The account's e-mail address.", max_length=254)),
                ('reason', models.CharField(choices=[('wrong_address', 'The link went to a wrong address'), ('wrong_patient', 'It was given to the wrong patient'), ('asked', 'The patient asked for it'), ('lost', 'Another person may have the password'), ('other', 'Another reason')], max_length=20)),
                ('note', models.CharField(blank=True, default='', max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('closed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='account_closures', to='patients.patient')),
            ],
            options={
                'ordering': ['-created_at', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Visit',
            fields=[
                ('changed_at', models.DateTimeField(editable=False, null=True)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('date', models.DateField(default=django.utils.timezone.localdate)),
                ('complaint', models.CharField(help_text='Why the patient came, in a sentence.', max_length=300)),
                ('itch', models.BooleanField(default=False, verbose_name='itches')),
                ('pain', models.BooleanField(default=False, verbose_name='hurts')),
                ('bleeding', models.BooleanField(default=False, verbose_name='bleeds')),
                ('growth', models.BooleanField(default=False, verbose_name='has grown or changed')),
                ('symptoms_since', models.CharField(blank=True, max_length=100, verbose_name='how long, or since when')),
                ('history', models.TextField(blank=True, help_text='History relevant to this complaint.')),
                ('notes', models.TextField(blank=True, help_text="For the clinic; not in the patient's report.")),
                ('plan', models.TextField(blank=True, help_text='What happens next. The patient reads this in the report.')),
                ('status', models.CharField(choices=[('open', 'Open'), ('signed', 'Signed'), ('released', 'Released to the patient')], default='open', editable=False, max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinician', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='visits', to='patients.member')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='visits', to='patients.patient')),
            ],
            options={
                'ordering': ['-date', '-created_at'],
            },
        ),
        migrations.AddConstraint(
            model_name='clinic',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='clinic_has_a_name'),
        ),
        migrations.AddConstraint(
            model_name='clinic',
            constraint=models.CheckConstraint(condition=models.Q(('review_rule__in', ['one_reader', 'two_blinded_readers'])), name='clinic_review_rule_is_known'),
        ),
        migrations.AddConstraint(
            model_name='member',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['staff', 'dermatologist', 'manager'])), name='member_role_is_known'),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='api_token_has_a_name'),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['staff', 'dermatologist', 'manager'])), name='api_token_role_is_known'),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.CheckConstraint(condition=models.Q(('key_hash__length', 64)), name='api_token_is_stored_as_a_hash'),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='api_token_expires_after_creation'),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('revoked_at', None), ('revoked_because', ''), ('revoked_by', None)), models.Q(('revoked_at__isnull', False), ('revoked_because__in', ['by_hand', 'replaced', 'password', 'deactivated', 'role'])), _connector='OR'), name='revoked_api_token_has_a_reason'),
        ),
        migrations.AddIndex(
            model_name='outgoingmessage',
            index=models.Index(condition=models.Q(('state__in', ('waiting', 'sending'))), fields=['next_attempt_at'], name='messages_to_be_sent'),
        ),
        migrations.AddIndex(
            model_name='outgoingmessage',
            index=models.Index(fields=['about'], name='messages_about'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['invitation', 'password_reset', 'account', 'report', 'addendum', 'withheld', 'contact', 'incident', 'incident_call'])), name='message_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'sending', 'sent', 'refused', 'given_up', 'cancelled'])), name='message_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ('report', 'addendum', 'withheld', 'contact', 'incident', 'incident_call'))), fields=('kind', 'about'), name='one_message_of_a_kind_about_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ('report', 'addendum', 'withheld', 'contact', 'incident', 'incident_call')), _negated=True), ('about__isnull', False), _connector='OR'), name='message_names_what_it_is_about'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('claim__isnull', False), ('lease_until__isnull', False), ('state', 'sending')), models.Q(models.Q(('state', 'sending'), _negated=True), ('claim__isnull', True), ('lease_until__isnull', True)), _connector='OR'), name='message_is_claimed_while_it_is_sent'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state__in', ('waiting', 'sending'))), models.Q(models.Q(('state__in', ('waiting', 'sending')), _negated=True), ('finished_at__isnull', False)), _connector='OR'), name='message_that_is_finished_has_a_time'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ('refused', 'given_up')), _negated=True), models.Q(('last_error', ''), _negated=True), _connector='OR'), name='undelivered_message_says_why'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('waiting', 'sending')), models.Q(('body', ''), ('subject', '')), _connector='OR'), name='finished_message_keeps_no_text'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['clinic', 'family_name', 'given_name', 'id'], name='patients_by_name'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['clinic', 'folded_number'], name='patients_by_folded_number'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['clinic', 'birth_date'], name='patients_by_birth_date'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.UniqueConstraint(models.F('clinic'), django.db.models.functions.text.Lower('record_number'), name='record_number_is_unique_in_the_clinic'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('record_number', ''), _negated=True), name='patient_has_a_record_number'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('given_name', ''), _negated=True), models.Q(('family_name', ''), _negated=True), _connector='OR'), name='patient_has_a_name'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('birth_date__gte', datetime.date(1900, 1, 1))), name='birth_date_is_plausible'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('sex__in', ['female', 'male', 'other', 'unknown'])), name='patient_sex_is_known'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('skin_type__in', ['I', 'II', 'III', 'IV', 'V', 'VI', ''])), name='skin_type_is_known'),
        ),
        migrations.AddConstraint(
            model_name='lesion',
            constraint=models.UniqueConstraint(fields=('patient', 'number'), name='lesion_number_is_unique_for_the_patient'),
        ),
        migrations.AddConstraint(
            model_name='lesion',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='lesion_number_starts_at_one'),
        ),
        migrations.AddConstraint(
            model_name='lesion',
            constraint=models.CheckConstraint(condition=models.Q(('body_site__in', ['scalp', 'face', 'eyelid', 'nose', 'lip', 'ear', 'neck', 'chest', 'abdomen', 'back', 'flank', 'shoulder', 'armpit', 'upper_arm', 'elbow', 'forearm', 'wrist', 'hand', 'palm', 'finger', 'buttock', 'groin', 'genital', 'thigh', 'knee', 'lower_leg', 'ankle', 'foot', 'sole', 'toe', 'nail', 'mucosa'])), name='body_site_is_known'),
        ),
        migrations.AddConstraint(
            model_name='lesion',
            constraint=models.CheckConstraint(condition=models.Q(('side__in', ['left', 'right', 'midline', 'unknown'])), name='lesion_side_is_known'),
        ),
        migrations.AddConstraint(
            model_name='lesion',
            constraint=models.CheckConstraint(condition=models.Q(('noticed_precision', 'day'), models.Q(('noticed_on__day', 1), ('noticed_on__isnull', False), ('noticed_precision', 'month')), models.Q(('noticed_on__day', 1), ('noticed_on__isnull', False), ('noticed_on__month', 1), ('noticed_precision', 'year')), _connector='OR'), name='lesion_noticed_on_is_the_first_day_of_its_month_or_year'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['recorded_at'], name='consents_by_age'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.UniqueConstraint(fields=('patient', 'purpose', 'number'), name='consent_number_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='consent_number_starts_at_one'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['sharing', 'training'])), name='consent_purpose_is_known'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('decision__in', ['given', 'withdrawn'])), name='consent_decision_is_known'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('method__in', ['signed_form', 'verbal', 'on_site'])), name='consent_method_is_known'),
        ),
        migrations.AddConstraint(
            model_name='accountclosure',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['wrong_address', 'wrong_patient', 'asked', 'lost', 'other'])), name='closure_reason_is_known'),
        ),
        migrations.AddConstraint(
            model_name='accountclosure',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reason', 'other'), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='closure_for_another_reason_says_why'),
        ),
        migrations.AddIndex(
            model_name='visit',
            index=models.Index(fields=['patient', '-date', '-created_at', 'status', 'id'], name='visits_by_date'),
        ),
        migrations.AddConstraint(
            model_name='visit',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['open', 'signed', 'released'])), name='visit_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='visit',
            constraint=models.CheckConstraint(condition=models.Q(('complaint', ''), _negated=True), name='visit_has_a_complaint'),
        ),
        migrations.AddConstraint(
            model_name='visit',
            constraint=models.CheckConstraint(condition=models.Q(('date__gte', datetime.date(1990, 1, 1))), name='visit_date_is_plausible'),
        ),
        AppendOnly("consent", "consent_is_append_only"),
        AppendOnly("accountclosure", "account_closure_is_append_only"),
    ]
