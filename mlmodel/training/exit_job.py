"""Fine-tune an exit flow in a process of its own: ``python -m mlmodel.training.exit_job FOLDER``.

``mlmodel.retraining.deeper`` writes the folder and reads what comes of it; how far it is goes to standard output, a
line each: the share done, and what is being done.
"""

import os
import sys
from pathlib import Path

from mlmodel.retraining.deeper import read_job
from mlmodel.training.exit_training import ExitRecipe, MappedCases, fine_tune_exit


def _tell(share: float, stage: str) -> None:
    sys.stdout.write(f"{share:.4f} {stage}\n")
    sys.stdout.flush()


def main(folder: Path) -> None:
    active, exit_flow, cases, seed = read_job(folder)
    parts = {name: MappedCases(*found) for name, found in cases.items()}
    epochs = os.environ.get("DERMASCAN_EXIT_EPOCHS")
    found = fine_tune_exit(
        active=active,
        exit_flow=exit_flow,
        seed=seed,
        progress=_tell,
        recipe=ExitRecipe(epochs=int(epochs)) if epochs else None,
        **parts,
    )
    if found is not None:
        content, head = found
        head.save(folder / "head.npz")
        (folder / "found.npz").write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
