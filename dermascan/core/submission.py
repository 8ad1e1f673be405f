import uuid

from django.db import models
from django.db.models import Q


class Submission(models.Model):
    """The result of one request with an idempotency key. The same request again gets it and changes nothing.

    Keys and contents are stored only as digests. A scheduled task deletes rows after
    ``IDEMPOTENCY_KEYS_LAST_HOURS``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Digest of the sender, the path and the key.
    key_digest = models.CharField(max_length=64)
    # Digest of the content. The same form sent again with other values creates a new record.
    content_digest = models.CharField(max_length=64)
    # JSON with the redirect or response body and the messages. Stored as text, because JSON columns reject some of the
    # characters that people send.
    result = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key_digest", "content_digest"], name="a_submission_has_one_result"),
            models.CheckConstraint(condition=~Q(key_digest=""), name="submission_has_a_key"),
        ]

    def __str__(self) -> str:
        return f"{self.key_digest[:12]}, {self.created_at:%Y-%m-%d %H:%M}"
