"""How the machine decides: network, engine, explanation, training, model versions."""

import os

# The head's matrix product takes under a millisecond on one core, but NumPy's BLAS keeps the threads of a larger pool
# spinning after it, on the cores that the engine needs next: a photograph took a third longer. Read at NumPy's import.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
