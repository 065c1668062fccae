"""How many examples each law is tried on: few in a usual run, as many as asked otherwise.

`FLIGHTFRAME_PROPERTY_EXAMPLES=500 make test TEST_FLAGS=tests/property` looks hard; with `CI` set
the examples are the same every time.
"""

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("FLIGHTFRAME_PROPERTY_EXAMPLES", "12"))
# Shrinking asks an engine hundreds of times: mutations, which only count failures, do without, and
# the product as it is replays what they failed at.
PHASES = [Phase[name] for name in os.environ.get("FLIGHTFRAME_PROPERTY_PHASES", "").split()]

HEAVY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=PHASES or settings.default.phases,
    report_multiple_bugs=False,
)
"""For examples that start an engine: about a tenth of a second each."""

LIGHT = settings(HEAVY, max_examples=5 * EXAMPLES)
"""For examples that read no data."""
