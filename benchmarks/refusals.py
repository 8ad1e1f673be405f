"""What the whole judge refuses: quality and in-domain together, on folders of photographs.

    python -m benchmarks.refusals DATA

DATA holds uploads/ and phone/ (lesions, to be accepted) and not_skin/ (to be refused). The in-domain judge was trained
on phone/ and not_skin/: for those the cross-validated figures of the model card are the honest ones.
"""

import argparse
from collections import Counter
from pathlib import Path

from mlmodel.analysis import get_analyser
from mlmodel.pictures import decode
from mlmodel.quality import Verdict
from mlmodel.scoring import find_pictures

FOLDERS = ("uploads", "phone", "not_skin")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    folder = parser.parse_args().data
    print(f"{'':12}" + "".join(f"{verdict:>12}" for verdict in Verdict))
    for name in FOLDERS:
        paths = find_pictures(folder / name)
        found = Counter(get_analyser().analyse(decode(path.read_bytes())).quality.verdict for path in paths)
        print(f"{name:12}" + "".join(f"{found[verdict] / len(paths):>12.1%}" for verdict in Verdict))


if __name__ == "__main__":
    main()
