"""`make fuzz`: the properties of tests/properties, tried for as long as it is told.

They start from what living providers send: the cases of tests/providers and the
fixtures of the presets.

Rounds of a few hundred new examples for each property, until the seconds are over or
something is found. What was found is kept in .hypothesis and tried again first.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
# How hypothesis counts: "- 300 passing, 0 failing, and 7 invalid test cases".
COUNTS = re.compile(r"- (\d+) passing(?: examples)?, (\d+) failing")


def main(seconds: float) -> int:
    """The exit status: 0 if every property held to the end."""
    started, rounds, examples, status = time.monotonic(), 0, 0, 0
    while not status and time.monotonic() - started < seconds:
        seed = secrets.randbelow(2**32)
        run = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            + ["--hypothesis-profile=fuzz", f"--hypothesis-seed={seed}"]
            + ["--hypothesis-show-statistics", "tests/properties"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        status = run.returncode
        counts = COUNTS.findall(run.stdout)
        examples += sum(int(passing) + int(failing) for passing, failing in counts)
        rounds += 1
        if status or not counts:
            print(run.stdout, run.stderr, f"found with --hypothesis-seed={seed}")
            status = status or 1
        print(
            f"{time.monotonic() - started:.0f} s, {rounds} rounds, "
            f"{examples} examples of {len(counts)} properties",
            flush=True,
        )
    print("something was found" if status else "every property held")
    return status


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if sys.argv[1:] else 300))
