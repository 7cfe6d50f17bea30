"""`make mutants`: which changes of the rules' code does no test notice?

mutmut changes one thing at a time in the rooms that pyproject.toml names, and runs the
tests that call the changed function. What survives is printed as a diff: it needs a
test, or changes nothing that can be observed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parent.parent
WANTED = 95.0  # per cent
PATIENCE = 3600  # seconds, for all of them; alone on a machine it takes five minutes

# mutmut's exit codes; a mutant that a test never comes back from was noticed, too.
NOTICED = {1: "killed", 3: "killed", 36: "timeout", 24: "timeout", -24: "timeout"}
NOTICED |= {152: "timeout", 255: "timeout", -9: "timeout", -11: "killed"}
UNNOTICED = {0: "survived", 5: "no tests", 33: "no tests"}


def main(arguments: list[str]) -> int:
    """The exit status: 0 if enough was noticed.

    `arguments` are the names of some mutants, which are then tried again; * is allowed.
    """
    if not arguments:
        # It does not look again at what survived before a test was written.
        shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    mutmut = Path(sys.executable).parent / "mutmut"
    command = [str(mutmut), "run", "--max-children", "2", *arguments]
    run = subprocess.run(  # noqa: S603 - our own command
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
    )
    if run.returncode:
        # What it draws while it runs is of no use to a reader.
        print("\n".join(run.stdout.rsplit("\r", 1)[-1].splitlines()[-60:]))
        return run.returncode
    results = dict(sorted(_results(arguments or ["*"])))
    totals: Counter[str] = Counter()
    print(f"{'room':32}{'mutants':>9}{'noticed':>9}{'per cent':>10}")
    for room, outcomes in results.items():
        counts = Counter(outcomes.values())
        totals += counts
        print(_row(room, counts))
    print(_row("all", totals))
    print(", ".join(f"{count} {name}" for name, count in sorted(totals.items())))
    for outcomes in results.values():
        for name, outcome in outcomes.items():
            if outcome not in NOTICED.values():
                show = subprocess.run(  # noqa: S603 - our own command
                    [str(mutmut), "show", name],
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                )
                print(f"\n{outcome}: {name}\n{show.stdout}")
    return 0 if _per_cent(totals) >= WANTED else 1


def _results(names: list[str]) -> list[tuple[str, dict[str, str]]]:
    """Each room with its mutants, and what became of them."""
    outcomes = NOTICED | UNNOTICED
    return [
        (
            str(path.relative_to(ROOT / "mutants")).removesuffix(".meta"),
            {
                name: outcomes.get(code, "unclear")
                for name, code in json.loads(path.read_text())[
                    "exit_code_by_key"
                ].items()
                if any(fnmatch(name, wanted) for wanted in names)
            },
        )
        for path in (ROOT / "mutants").rglob("*.meta")
    ]


def _noticed(counts: Counter[str]) -> int:
    return sum(counts[name] for name in set(NOTICED.values()))


def _per_cent(counts: Counter[str]) -> float:
    return 100 * _noticed(counts) / max(counts.total(), 1)


def _row(name: str, counts: Counter[str]) -> str:
    return f"{name:32}{counts.total():9}{_noticed(counts):9}{_per_cent(counts):9.1f}%"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
