from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0001_initial'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='outgoingmessage',
            name='message_kind_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='outgoingmessage',
            name='one_message_of_a_kind_about_one_thing',
        ),
        migrations.RemoveConstraint(
            model_name='outgoingmessage',
            name='message_names_what_it_is_about',
        ),
        migrations.AlterField(
            model_name='outgoingmessage',
            name='kind',
            field=models.CharField(choices=[('invitation', 'Link to choose a password'), ('password_reset', 'Link to reset a password'), ('account', 'About an account'), ('report', 'A report was released'), ('addendum', 'An addendum was added to a report'), ('withheld', 'A report is withheld'), ('opinion_asked', 'Request for a second opinion'), ('opinion_answered', 'A second opinion was given'), ('contradicted', 'A laboratory result contradicts a report'), ('contact', 'Message to the operator'), ('recall', 'An appointment to make'), ('incident', 'Incident, by e-mail'), ('incident_call', 'Incident, by webhook')], max_length=20, verbose_name='kind'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['invitation', 'password_reset', 'account', 'report', 'addendum', 'withheld', 'opinion_asked', 'opinion_answered', 'contradicted', 'contact', 'recall', 'incident', 'incident_call'])), name='message_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ('report', 'addendum', 'withheld', 'contradicted', 'recall', 'contact', 'incident', 'incident_call', 'opinion_asked', 'opinion_answered'))), fields=('kind', 'about'), name='one_message_of_a_kind_about_one_thing'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ('report', 'addendum', 'withheld', 'contradicted', 'recall', 'contact', 'incident', 'incident_call', 'opinion_asked', 'opinion_answered')), _negated=True), ('about__isnull', False), _connector='OR'), name='message_names_what_it_is_about'),
        ),
    ]
