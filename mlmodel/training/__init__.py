"""The training room: nothing here is imported where photographs are answered."""

import os

# TensorFlow takes oneDNN's kernels by itself on some processors only; on others they are 1.3 to 1.7 times as fast.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
