"""Says how many lines of the pure core its own tests run, and fails below LEAST percent.

What comes in is the list of the core's packages, from the import contract that keeps them pure;
what goes out is a line with the share, and the lines that no test runs. What counts are the core's
own folders of tests, the golden texts, and the oracle's cases, whose rows are written by hand. It
must never count what is run by the way: a test elsewhere that meets a line does not hold it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEAST = 98.0
"""What the core's own tests run at least; the rest is what no text reaches."""
CONTRACT = "The core does no I/O"
BESIDE = ("tests/golden", "tests/oracle/test_oracle.py")


def main() -> int:
    """Run the tests of the core, tell the share; return the exit status."""
    core = packages()
    folders = [f"tests/unit/{name.rsplit('.', 1)[-1]}" for name in core]
    tests = [folder for folder in folders if (ROOT / folder).is_dir()]
    print(f"measuring the coverage of the pure core: {', '.join(core)} ...", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/coverage"
        run = ["run", f"--source={','.join(core)}", "-m", "pytest", "-m", "not slow"]
        if coverage(data, *run, *tests, *BESIDE).returncode != 0:
            return 1
        coverage(data, "report", "--show-missing", "--skip-covered", "--precision=1")
        total = coverage(data, "report", "--format=total", "--precision=1", told=False)
    print(f"coverage of the pure core: {total.stdout.strip()} % of lines", flush=True)
    if float(total.stdout) >= LEAST:
        return 0
    print(f"at least {LEAST} % are wanted: test the lines above, or remove them", file=sys.stderr)
    return 1


def packages() -> list[str]:
    """Return the packages that the contract keeps pure."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (core,) = (item["source_modules"] for item in contracts if item["name"] == CONTRACT)
    return list(core)


def coverage(data: str, *arguments: str, told: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the tool of that name; its output is shown, or comes back."""
    return subprocess.run(
        [sys.executable, "-m", "coverage", *arguments],
        cwd=ROOT,
        env={**os.environ, "COVERAGE_FILE": data, "TEST_PART": "coverage"},
        stdout=None if told else subprocess.PIPE,
        text=True,
    )


if __name__ == "__main__":
    sys.exit(main())
