"""What the server of a soak says of the answers to SQL that it asked again from the facts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

FAMILY = "flightframe_shadow_answers"
COMPARED = ("same", "mismatch")


class Checks:
    """Counts of checked answers by outcome, added up over servers that end.

    Args:
        http_port: where a server answers HTTP.
    """

    def __init__(self, http_port: int) -> None:
        self._url = f"http://127.0.0.1:{http_port}/metrics"
        self._counts: Counter[str] = Counter()

    def take(self) -> None:
        """Add what a server counted; it is asked once, just before it ends."""
        text = httpx.get(self._url, timeout=60).raise_for_status().text
        for family in text_string_to_metric_families(text):
            if family.name == FAMILY:
                for sample in family.samples:
                    if sample.name.endswith("_total"):
                        self._counts[sample.labels["outcome"]] += int(sample.value)

    def found(self, log: Path) -> dict[str, object]:
        """Return how many were sampled, how they ended, and what the log tells of differences."""
        lines = [line for line in log.read_text().splitlines() if "shadow.mismatch" in line]
        return {
            "sampled": self._counts.total(),
            "compared": sum(self._counts[outcome] for outcome in COMPARED),
            "differed": max(self._counts["mismatch"], len(lines)),
            "outcomes": dict(self._counts),
            "differences": lines,
        }


def wrong(found: dict[str, object], stories: int) -> list[str]:
    """Return what must not be: a difference, or nothing that was compared."""
    if found["differed"]:
        told = "\n".join(list(found["differences"])[:stories])
        return [f"{found['differed']} answers to SQL differed from the facts\n{told}"]
    if not found["compared"]:
        return [f"no answer to SQL was compared with the facts: {found['outcomes']}"]
    return []
