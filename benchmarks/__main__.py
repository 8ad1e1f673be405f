"""``make bench``: every figure, one after the other."""

import runpy
import sys

SCRIPTS = ("engine", "uploads", "pages", "review_queue")


def main() -> None:
    for name in SCRIPTS:
        print(f"\n== {name} ==", flush=True)
        sys.argv = [name]
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")


main()
