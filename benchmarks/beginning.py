"""The entry point of the benchmark scripts."""

import sys
from collections.abc import Callable
from typing import NoReturn

from mlmodel.datasets.tables import DataError
from mlmodel.releases.release_files import ReleaseError
from mlmodel.training.run_folder import RunError


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a script and exit, with a message if its data, a release or a run is missing."""
    try:
        sys.exit(main())
    except (DataError, ReleaseError, RunError) as error:
        sys.exit(str(error))
    except (FileNotFoundError, NotADirectoryError) as error:
        sys.exit(f"There is no {error.filename or error}.")
