"""Create reviewed photographs in bulk, in the state in which the review services leave them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diagnosis.images.models import Image
    from patients.models import Member


def settle(images: "Iterable[tuple[Image, Member]]", *, batch_size: int = 5000) -> None:
    """Add a review of nevus and the resulting confirmed label to each photograph."""
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
