"""``make bench``: run the benchmarks one after the other.

    python -m benchmarks [--small]

With ``--small`` each measurement is taken only once or twice, to check that the scripts still run.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The scripts, and their arguments with ``--small``.
SCRIPTS = {
    "engine": "--photographs 1 --rounds 1",
    "uploads": "--uploads 2",
    "serving": "--requests 2",
    "pages": "--patients 40 --photographs-each 2 --requests 1",
    "audit": "--patients 40 --photographs-each 2 --requests 1",
    "alignment": "--lesions 2",
    "review_queue": "--photographs 600 --requests 1",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true")
    is_small = parser.parse_args().small
    failed = []
    for name, sizes in SCRIPTS.items():
        print(f"\n== {name} ==", flush=True)
        # In a separate process, because each script creates its own installation.
        command = [sys.executable, "-m", f"benchmarks.{name}", *(sizes.split() if is_small else ())]
        if subprocess.run(command, cwd=ROOT).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"These failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
