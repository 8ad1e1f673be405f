"""Dates as all pages write them, where Django chooses the format: in the administration."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
