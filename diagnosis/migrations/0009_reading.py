import uuid

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import diagnosis.images.models.full_picture
from dermascan.core.append_only import AppendOnly

_REVIEW = (
    "id", "image_id", "reviewer_id", "outside_reader_id", "answer", "other_text", "certainty", "basis", "reason",
    "was_blinded", "step",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [
        ("diagnosis", "0008_corrections"),
        ("patients", "0007_how_reviews_are_read"),
    ]

    operations = [
        migrations.CreateModel(
            name="SeenAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seen_at", models.DateTimeField()),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="seen_answers", to="diagnosis.image"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="patients.member"
                    ),
                ),
            ],
        ),
        # SQLite rebuilds the table of reviews and drops its trigger.
        AppendOnly("review", "review_is_append_only", frozen=_REVIEW),
        migrations.AddField(
            model_name="review",
            name="answer_seen_at",
            field=models.DateTimeField(
                help_text="When the reader had first been shown the network's answer; empty if not before this review.",
                null=True,
                verbose_name="answer seen",
            ),
        ),
        migrations.CreateModel(
            name="FullPicture",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "file",
                    models.FileField(max_length=120, upload_to=diagnosis.images.models.full_picture.full_picture_path),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "image",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="full_picture", to="diagnosis.image"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReaderPreference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("by_lesion", models.BooleanField(default=False)),
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reader_preference",
                        to="patients.member",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReviewGroup",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "lesion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="review_groups", to="patients.lesion"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.member"
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.visit"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ManagementDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("excise", "Excise"),
                            ("biopsy", "Biopsy"),
                            ("follow", "Follow up"),
                            ("refer", "Refer"),
                            ("discharge", "Discharge"),
                        ],
                        max_length=10,
                        verbose_name="what is to be done",
                    ),
                ),
                (
                    "months",
                    models.PositiveSmallIntegerField(
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(60),
                        ],
                        verbose_name="in how many months",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "lesion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="management_decisions",
                        to="patients.lesion",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="patients.member"
                    ),
                ),
                (
                    "group",
                    models.OneToOneField(
                        help_text="The review of the lesion that it was made with; empty if it was made by itself.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decision",
                        to="diagnosis.reviewgroup",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.AddField(
            model_name="review",
            name="group",
            field=models.ForeignKey(
                help_text="The review of its lesion that it belongs to; empty if the photograph was reviewed by itself.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reviews",
                to="diagnosis.reviewgroup",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(("was_blinded", False), ("answer_seen_at", None), _connector="OR"),
                name="blinded_review_precedes_the_answer",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.UniqueConstraint(fields=("group", "image"), name="photograph_is_in_a_review_group_once"),
        ),
        migrations.AddConstraint(
            model_name="fullpicture",
            constraint=models.CheckConstraint(
                condition=models.Q(("file", ""), _negated=True), name="full_picture_has_a_file"
            ),
        ),
        migrations.AddConstraint(
            model_name="managementdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("decision__in", ["excise", "biopsy", "follow", "refer", "discharge"])),
                name="management_decision_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="managementdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decision", "follow"), ("months__isnull", False)),
                    models.Q(models.Q(("decision", "follow"), _negated=True), ("months", None)),
                    _connector="OR",
                ),
                name="months_are_stated_for_a_follow_up_alone",
            ),
        ),
        migrations.AddConstraint(
            model_name="managementdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("months", None), models.Q(("months__gte", 1), ("months__lte", 60)), _connector="OR"
                ),
                name="follow_up_is_within_five_years",
            ),
        ),
        migrations.AddConstraint(
            model_name="seenanswer",
            constraint=models.UniqueConstraint(fields=("image", "member"), name="answer_is_seen_first_once"),
        ),
        AppendOnly("review", "review_is_append_only", frozen=(*_REVIEW, "answer_seen_at", "group_id")),
        AppendOnly(
            "reviewgroup", "review_group_is_append_only", frozen=("id", "lesion_id", "visit_id", "reviewer_id")
        ),
        AppendOnly(
            "managementdecision",
            "management_decision_is_append_only",
            frozen=("id", "lesion_id", "group_id", "decision", "months", "member_id"),
        ),
        AppendOnly("seenanswer", "seen_answer_is_append_only"),
    ]
