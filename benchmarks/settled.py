"""Rows that a benchmark needs by the thousand: reviewed photographs, as the review services would leave them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnosis.images.models import Image
    from patients.models import Member


def settle(images: "Iterable[tuple[Image, Member]]", *, batch_size: int = 5000) -> None:
    """Give each photograph its reader's review, nevus, and the label that comes of it."""
    from diagnosis.reviews.models import ConfirmedLabel, Review

    reviews = Review.objects.bulk_create(
        (Review(image=image, reviewer=reader, answer="nv", certainty="certain") for image, reader in images),
        batch_size=batch_size,
    )
    ConfirmedLabel.objects.bulk_create(
        (
            ConfirmedLabel(
                image=review.image,
                state="settled",
                answer=review.answer,
                basis=review.basis,
                why="newest_opinion",
                settled_at=review.created_at,
                review=review,
                readers=[str(review.reviewer_id)],
                rule="one_reader",
            )
            for review in reviews
        ),
        batch_size=batch_size,
    )
