"""A review and a label may name a diagnosis outside the seven, or say of free text whether it is malignant.

What was said before stays as it is.
"""

from django.db import migrations, models
from django.db.models import Q

import diagnosis.reviews.answers

FREE_TEXT = ("other", "other_malignant", "other_benign")
ANSWERS = (
    "akiec", "bcc", "bkl", "df", "mel", "nv", "vasc", "scc", "keratoacanthoma", "lentigo_maligna", "merkel",
    "metastasis", "mf", "lymphoma", "kaposi", "dfsp", "afx", "sebaceous_ca", "adnexal_ca", "paget", "angiosarcoma",
    "meltump", "spitz_atypical", "uncertain_skin", "spitz", "atypical_nevus", "blue_nevus", "lentigo_simplex",
    "nevus_sebaceus", "sebaceous_hyp", "adnexal_tumour", "neurofibroma", "lipoma", "skin_tag", "cyst", "scar",
    "keloid", "haemorrhage", "pigmentation", "porokeratosis", "cnh", "dermatitis", "psoriasis", "lichen_planus",
    "prurigo", "granuloma_ann", "lupus", "rosacea", "wart", "molluscum", "tinea", "abscess", "other",
    "other_malignant", "other_benign", "cannot_tell", "not_a_lesion",
)

# As they were made in 0006. SQLite makes a table anew to change a constraint, and its triggers are gone.
FROZEN = {
    "review": ("id", "image_id", "reviewer_id", "answer", "other_text", "certainty", "basis", "reason", "was_blinded"),
    "labelchange": (
        "id", "image_id", "number", "before_state", "before_answer", "after_state", "after_answer", "cause", "why",
        "review_id",
    ),
}


def freeze_again(apps, schema_editor):
    if schema_editor.connection.vendor != "sqlite":
        return
    for model, columns in FROZEN.items():
        name = f"{model}_is_append_only"
        changed = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in columns)
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON diagnosis_{model} FOR EACH ROW WHEN {changed} "
            f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )


def answer_field(**more):
    return models.CharField(choices=diagnosis.reviews.answers.answer_choices, max_length=16, **more)


def constraint(model, condition, name):
    return migrations.AddConstraint(
        model_name=model, constraint=models.CheckConstraint(condition=condition, name=name)
    )


class Migration(migrations.Migration):
    dependencies = [("diagnosis", "0017_set_aside_is_append_only")]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, freeze_again),
        migrations.RemoveConstraint(model_name="confirmedlabel", name="label_answer_is_known"),
        migrations.RemoveConstraint(model_name="labelchange", name="label_change_answers_are_known"),
        migrations.RemoveConstraint(model_name="review", name="review_answer_is_known"),
        migrations.RemoveConstraint(model_name="review", name="review_says_what_else_it_is"),
        migrations.AlterField("confirmedlabel", "answer", answer_field(blank=True, default="")),
        migrations.AlterField("labelchange", "after_answer", answer_field(blank=True, default="")),
        migrations.AlterField("labelchange", "before_answer", answer_field(blank=True, default="")),
        migrations.AlterField("review", "answer", answer_field(verbose_name="answer")),
        constraint("confirmedlabel", Q(answer__in=("", *ANSWERS)), "label_answer_is_known"),
        constraint(
            "labelchange",
            Q(after_answer__in=("", *ANSWERS), before_answer__in=("", *ANSWERS)),
            "label_change_answers_are_known",
        ),
        constraint("review", Q(answer__in=ANSWERS), "review_answer_is_known"),
        constraint(
            "review",
            (Q(answer__in=FREE_TEXT) & ~Q(other_text="")) | (~Q(answer__in=FREE_TEXT) & Q(other_text="")),
            "review_says_what_else_it_is",
        ),
        # Last, for the reason that 0006 gives.
        migrations.RunPython(freeze_again, migrations.RunPython.noop),
    ]
