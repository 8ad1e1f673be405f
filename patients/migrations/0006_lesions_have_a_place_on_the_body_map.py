import django.db.models.deletion
import uuid
from django.db import migrations, models

from dermascan.core.append_only import AppendOnly


class Migration(migrations.Migration):

    dependencies = [
        ("patients", "0005_histories_and_merged_records"),
    ]

    operations = [
        migrations.CreateModel(
            name='LesionPlacement',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(help_text="Counts the lesion's placements from 1.")),
                ('view', models.CharField(choices=[('front', 'From the front'), ('back', 'From behind'), ('left', 'Left side'), ('right', 'Right side'), ('head_front', 'Face'), ('head_back', 'Back of the head'), ('head_left', 'Head, left side'), ('head_right', 'Head, right side'), ('hands_back', 'Backs of the hands'), ('palms', 'Palms'), ('feet_top', 'Feet from above'), ('soles', 'Soles')], max_length=12)),
                ('x', models.PositiveSmallIntegerField(help_text='0 to 1000 across the drawing of an adult.')),
                ('y', models.PositiveSmallIntegerField(help_text='0 to 1000 down the drawing of an adult.')),
                ('body_site', models.CharField(choices=[('scalp', 'Scalp'), ('face', 'Face'), ('eyelid', 'Eyelid'), ('nose', 'Nose'), ('lip', 'Lip'), ('ear', 'Ear'), ('neck', 'Neck'), ('chest', 'Chest'), ('abdomen', 'Abdomen'), ('back', 'Back'), ('flank', 'Flank'), ('shoulder', 'Shoulder'), ('armpit', 'Armpit'), ('upper_arm', 'Upper arm'), ('elbow', 'Elbow'), ('forearm', 'Forearm'), ('wrist', 'Wrist'), ('hand', 'Hand'), ('palm', 'Palm'), ('finger', 'Finger'), ('buttock', 'Buttock'), ('groin', 'Groin'), ('genital', 'Genital area'), ('thigh', 'Thigh'), ('knee', 'Knee'), ('lower_leg', 'Lower leg'), ('ankle', 'Ankle'), ('foot', 'Foot'), ('sole', 'Sole'), ('toe', 'Toe'), ('nail', 'Nail'), ('mucosa', 'Mouth or other mucosa')], help_text="The lesion's, when it was placed.", max_length=20)),
                ('side', models.CharField(choices=[('left', 'Left'), ('right', 'Right'), ('midline', 'Midline'), ('unknown', 'Not recorded')], max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('lesion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='placements', to='patients.lesion')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.member')),
            ],
            options={
                'ordering': ['-number'],
                'constraints': [models.UniqueConstraint(fields=('lesion', 'number'), name='one_placement_of_a_lesion_at_a_time'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='placements_count_from_1'), models.CheckConstraint(condition=models.Q(('view__in', ['front', 'back', 'left', 'right', 'head_front', 'head_back', 'head_left', 'head_right', 'hands_back', 'palms', 'feet_top', 'soles'])), name='map_view_is_known'), models.CheckConstraint(condition=models.Q(('x__gte', 0), ('x__lte', 1000), ('y__gte', 0), ('y__lte', 1000)), name='placement_is_on_the_drawing'), models.CheckConstraint(condition=models.Q(('body_site__in', ['scalp', 'face', 'eyelid', 'nose', 'lip', 'ear', 'neck', 'chest', 'abdomen', 'back', 'flank', 'shoulder', 'armpit', 'upper_arm', 'elbow', 'forearm', 'wrist', 'hand', 'palm', 'finger', 'buttock', 'groin', 'genital', 'thigh', 'knee', 'lower_leg', 'ankle', 'foot', 'sole', 'toe', 'nail', 'mucosa'])), name='placement_body_site_is_known'), models.CheckConstraint(condition=models.Q(('side__in', ['left', 'right', 'midline', 'unknown'])), name='placement_side_is_known')],
            },
        ),
        AppendOnly("lesionplacement", "lesion_placement_is_append_only"),
    ]
