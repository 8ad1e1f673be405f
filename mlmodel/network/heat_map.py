"""Heat maps with Grad-CAM in closed form.

Grad-CAM (Selvaraju et al., ICCV 2017) weighs the channels of a map by the gradient of a class's logit, averaged over
positions, and keeps positive values. Here the head uses only the channel means of the maps, so the gradient with
respect to a map of N positions is the head's gradient divided by N at every position: neither a backward pass nor
averaging is needed.
"""

import io
from collections.abc import Iterable

import numpy as np
from PIL import Image

from mlmodel.network.head import Floats
from mlmodel.network.stages import stage_slice

MAP_SIDE = 38
# Values below this share of the peak are not drawn: they are negligible and would tint the whole square.
_FLOOR = 0.1
# The number of map cells over which the overlay fades out where the photograph continues beyond the square.
_FADE_CELLS = 2
# The steps of the colour scale, from no influence to the strongest influence: RGB and opacity, 0 to 255.
_SCALE = np.array([(32, 64, 200, 0), (32, 160, 255, 110), (255, 214, 64, 190), (230, 38, 20, 235)], dtype=np.float32)
_SHADES = 1024
_POSITIONS = np.linspace(0, len(_SCALE) - 1, _SHADES)
# The scale in equal steps, uint8 (shades, 4): looking a colour up is faster than computing it for every pixel.
_COLOURS = np.stack([np.interp(_POSITIONS, range(len(_SCALE)), channel) for channel in _SCALE.T], axis=1).round()
_COLOURS = _COLOURS.astype(np.uint8)
# The overlay is smooth: level 4 takes half as long again and saves a seventh, level 6 three times as long and a fifth.
_COMPRESSION = 2


def grad_cam(maps: dict[str, Floats], gradient: Floats) -> Floats:
    """Return the heat map of one photograph, float32 (38, 38) in [0, 1], over the centre square.

    Each mapped stage contributes its own Grad-CAM before the ReLU. They are resized to one grid by bicubic
    interpolation and added, since the logit is, to first order, the sum of the stages' contributions. For the last
    stage that is standard Grad-CAM; for an earlier one it is its direct contribution to the head, without its effect
    through later stages.

    Args:
        maps: float32 (side, side, channels) by stage name.
        gradient: float32 (F,), from ``Head.gradient``.
    """
    return combined([stage_cam(activation, gradient[stage_slice(stage)]) for stage, activation in maps.items()])


def combined(parts: Iterable[Floats]) -> Floats:
    """Return the combined heat map of the stages' parts, float32 (38, 38) in [0, 1].

    Args:
        parts: float32 (side, side) each, from ``stage_cam``.
    """
    total = np.zeros((MAP_SIDE, MAP_SIDE), dtype=np.float32)
    for part in parts:
        total += resized(part, MAP_SIDE)
    positive = np.maximum(total, 0.0)
    peak = float(positive.max())
    return (positive / peak).astype(np.float32) if peak > 0.0 else positive


def stage_cam(activation: Floats, gradient: Floats) -> Floats:
    """Return one stage's Grad-CAM before the ReLU, float32 (side, side), in units of the logit.

    Its sum over positions is the stage's contribution to the logit, to first order.

    Args:
        activation: float32 (side, side, channels).
        gradient: float32 (channels,), of the logit with respect to the channel means.
    """
    positions = activation.shape[0] * activation.shape[1]
    return activation @ (gradient / positions)


def overlay_png(heat_map: Floats, *, width: int, height: int) -> bytes:
    """Return the heat map as a PNG of ``width`` × ``height`` pixels, an overlay for the whole photograph.

    The network sees the centre square; outside it the overlay is transparent. It fades out where the photograph
    continues beyond the square, so that the square's edge is not mistaken for a finding.
    """
    side = min(width, height)
    shades = np.clip((resized(heat_map, side) - _FLOOR) / (1 - _FLOOR), 0.0, 1.0)
    colours = _COLOURS.take((shades * (_SHADES - 1)).round().astype(np.uint16), axis=0)
    fade = _fade(side)
    if width > side:
        colours[..., 3] = (colours[..., 3] * fade[None, :]).round()
    if height > side:
        colours[..., 3] = (colours[..., 3] * fade[:, None]).round()
    canvas = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    canvas.paste(Image.fromarray(colours), ((width - side) // 2, (height - side) // 2))
    file = io.BytesIO()
    canvas.save(file, "PNG", compress_level=_COMPRESSION)
    return file.getvalue()


def _fade(side: int) -> Floats:
    """Return a smooth opacity across the square, float32 (side,): 0 at both ends, 1 from ``_FADE_CELLS`` inwards."""
    from_end = np.minimum(np.arange(side), np.arange(side)[::-1]).astype(np.float32)
    rise = np.clip(from_end * MAP_SIDE / (_FADE_CELLS * side), 0.0, 1.0)
    return (rise * rise * (3 - 2 * rise)).astype(np.float32)


def resized(values: Floats, side: int) -> Floats:
    """Return a square map resized to ``side`` × ``side`` as in the overlay: bicubic, antialiased if reduced."""
    picture = Image.fromarray(values.astype(np.float32))
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC), dtype=np.float32)
