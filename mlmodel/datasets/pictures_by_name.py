"""Picture files below a folder, by name."""

from pathlib import Path

from mlmodel.datasets.tables import DataError
from mlmodel.pictures.picture_files import find_pictures, readable_name


def pictures_by_name(folder: Path) -> dict[str, Path]:
    """Return the picture files below a folder, by name without file extension.

    Raises:
        DataError: the folder does not exist, has no pictures, or has two with the same name.
    """
    if not folder.is_dir():
        raise DataError(f"The folder {folder} does not exist.")
    paths: dict[str, Path] = {}
    for path in find_pictures(folder).pictures:
        name = readable_name(path.stem)
        if name in paths:
            raise DataError(
                f"Two pictures are named {name}: {readable_name(paths[name])} and {readable_name(path)}. "
                "Rename one, or move it out of the folder."
            )
        paths[name] = path
    if not paths:
        raise DataError(f"{folder} contains no pictures.")
    return paths
