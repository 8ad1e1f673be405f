"""The sample photographs, and variants that stand in for other photographs of the same lesions."""

from io import BytesIO

from django.conf import settings
from PIL import Image, ImageFilter


def take_photograph(*, sample: str, crop: float = 1.0, rotate: float = 0.0, blur: float = 0.0) -> bytes:
    """Return the JPEG ``sample`` unchanged, or rotated by ``rotate`` degrees, cropped to its centre and blurred.

    The data set has one photograph of each lesion. A slight rotation and crop stand in for a photograph of an earlier
    visit, a blur for an out-of-focus one.
    """
    data = (settings.BASE_DIR / "static" / "samples" / sample).read_bytes()
    if crop == 1.0 and not rotate and not blur:
        return data
    original = Image.open(BytesIO(data)).convert("RGB")
    width, height = original.size
    margin_x, margin_y = round(width * (1 - crop) / 2), round(height * (1 - crop) / 2)
    middle = (margin_x, margin_y, width - margin_x, height - margin_y)
    photograph = original.rotate(rotate, Image.Resampling.BICUBIC).crop(middle)
    photograph = photograph.resize((width, height), Image.Resampling.LANCZOS)
    if blur:
        photograph = photograph.filter(ImageFilter.GaussianBlur(blur))
    buffer = BytesIO()
    photograph.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()
