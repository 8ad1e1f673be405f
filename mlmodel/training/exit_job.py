"""Fine-tune an exit flow in a process of its own: ``python -m mlmodel.training.exit_job FOLDER``.

``mlmodel.retraining.exit_job`` writes the folder and reads what comes of it; how far it is goes to standard output, a
line each: the share done, and what is being done.
"""

import sys
from pathlib import Path

from mlmodel.retraining.exit_job import read_job, write_found
from mlmodel.training.exit_training import ExitRecipe, MappedCases, fine_tune_exit


def _tell(share: float, stage: str) -> None:
    sys.stdout.write(f"{share:.4f} {stage}\n")
    sys.stdout.flush()


def main(folder: Path) -> None:
    job = read_job(folder)
    found = fine_tune_exit(
        active=job.active,
        exit_flow=job.exit_flow,
        seed=job.seed,
        progress=_tell,
        recipe=ExitRecipe(epochs=job.epochs),
        **{name: MappedCases(*found) for name, found in job.cases.items()},
    )
    if found is not None:
        write_found(folder, *found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
