import uuid

from django.db import models
from django.db.models import Q


class Submission(models.Model):
    """The result of one request that carried an idempotency key. The same request again gets it and changes nothing.

    Keys and contents are kept as digests alone. Rows are deleted by the schedule after
    ``IDEMPOTENCY_KEYS_LAST_HOURS``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Of the sender, the address and the key.
    key_digest = models.CharField(max_length=64)
    # Of what was sent. Someone who goes back, changes the form and sends it again means a new record.
    content_digest = models.CharField(max_length=64)
    # JSON: where it led or what it answered, and the messages that came with it. As text, since JSON columns refuse
    # some of the characters that people send.
    result = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key_digest", "content_digest"], name="a_submission_has_one_result"),
            models.CheckConstraint(condition=~Q(key_digest=""), name="submission_has_a_key"),
        ]

    def __str__(self) -> str:
        return f"{self.key_digest[:12]}, {self.created_at:%Y-%m-%d %H:%M}"
