"""Training. Nothing in this package is imported for analyses."""

import os

# TensorFlow enables oneDNN by default on some processors only; on others it is 1.3 to 1.7 times as fast.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
