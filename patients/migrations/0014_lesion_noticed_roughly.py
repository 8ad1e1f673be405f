from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0013_names_fold_further'),
    ]

    operations = [
        migrations.AddField(
            model_name='lesion',
            name='noticed_precision',
            field=models.CharField(choices=[('day', 'Day'), ('month', 'Month'), ('year', 'Year')], default='day', max_length=5),
        ),
        migrations.AlterField(
            model_name='visit',
            name='symptoms_since',
            field=models.CharField(blank=True, max_length=100, verbose_name='how long, or since when'),
        ),
        migrations.AddConstraint(
            model_name='lesion',
            constraint=models.CheckConstraint(condition=models.Q(('noticed_precision', 'day'), models.Q(('noticed_on__day', 1), ('noticed_on__isnull', False), ('noticed_precision', 'month')), models.Q(('noticed_on__day', 1), ('noticed_on__isnull', False), ('noticed_on__month', 1), ('noticed_precision', 'year')), _connector='OR'), name='lesion_noticed_on_is_the_first_day_of_its_month_or_year'),
        ),
    ]
