"""What happens to a lesion's outcome, for the slices above that follow it.

All are sent inside the transaction, once the change is written, with ``by``. A receiver that raises rolls it back.
``result_confirmed`` is in ``diagnosis.outcomes.pathology``.
"""

from django.dispatch import Signal

specimen_recorded, specimen_withdrawn = Signal(), Signal()  # with ``specimen``
result_withdrawn = Signal()  # with ``result``
lesion_closed = Signal()  # with ``closure``
