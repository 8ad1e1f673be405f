"""The classifier: network, inference engine, explanations, training and model versions."""

import os

# Must be set before NumPy is imported. With more threads, NumPy's BLAS keeps its pool spinning on the cores that the
# engine needs next, and an analysis takes a third longer; the head's matrix product needs only one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
