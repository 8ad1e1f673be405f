"""Xception's stages: whose outputs are pooled, and where each lies in the feature vector."""

# The stages whose outputs are pooled, as (name, channels), in the order of the feature vector. They are the outputs of
# Xception's blocks (Chollet, CVPR 2017, figure 5): what the middle of the network sees of skin, its end has forgotten.
STAGES: tuple[tuple[str, int], ...] = (
    ("block2", 128),
    ("block3", 256),
    ("block4", 728),
    ("block8", 728),
    ("block12", 728),
    ("block13", 1024),
    ("block14", 2048),
)
FEATURE_COUNT = sum(channels for _, channels in STAGES)
# The stages whose maps an export gives, and so what its heat map is made of. A file says itself which maps it has
# (``Engine.mapped_stages``): files of earlier choices keep working. ``research/heat_map.md`` has the comparison.
MAPPED_STAGES: tuple[str, ...] = ("block13", "block14")


def stage_slice(stage: str) -> slice:
    """Return where the features of ``stage`` lie in the feature vector."""
    start = 0
    for name, channels in STAGES:
        if name == stage:
            return slice(start, start + channels)
        start += channels
    raise KeyError(stage)
