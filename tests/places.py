"""Where things lie in the repository, however deep a test does."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "static" / "samples"
