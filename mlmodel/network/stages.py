"""Xception's stages and their positions in the feature vector."""

# The stages whose outputs are pooled, as (name, channels), in the order of the feature vector: outputs of Xception's
# blocks (Chollet, CVPR 2017, figure 5). Intermediate blocks have information on skin that later blocks discard.
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
# The stages whose maps an export includes for the heat map (compared in ``research/heat_map.md``). The engine reads
# from the file which maps it has, so that older files still work.
MAPPED_STAGES: tuple[str, ...] = ("block13", "block14")


def stage_slice(stage: str) -> slice:
    """Return the slice of the feature vector for ``stage``."""
    start = 0
    for name, channels in STAGES:
        if name == stage:
            return slice(start, start + channels)
        start += channels
    raise KeyError(stage)
