"""The pictures below a folder, by name: what the formats of ISIC and a plain table both refer to."""

from pathlib import Path

from mlmodel.datasets.tables import DataError
from mlmodel.pictures.picture_files import find_pictures, readable_name


def pictures_by_name(folder: Path) -> dict[str, Path]:
    """Return the picture files below a folder by name without ending.

    Raises:
        DataError: there is no such folder, it holds no pictures, or two of one name.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}.")
    found: dict[str, Path] = {}
    for path in find_pictures(folder).pictures:
        name = readable_name(path.stem)
        if name in found:
            raise DataError(
                f"Two pictures have the name {name}: {readable_name(found[name])} and {readable_name(path)}. "
                "Rename one, or move it out of the folder."
            )
        found[name] = path
    if not found:
        raise DataError(f"{folder} holds no pictures.")
    return found
