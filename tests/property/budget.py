"""How many examples each law is tried on: few in a usual run, as many as asked otherwise.

`FLIGHTFRAME_PROPERTY_EXAMPLES=500 make test TEST_FLAGS=tests/property` looks hard; with `CI` set
the examples are the same every time.
"""

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("FLIGHTFRAME_PROPERTY_EXAMPLES", "12"))
# Shrinking asks an engine hundreds of times; a runner that only counts failures does without.
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
if os.environ.get("FLIGHTFRAME_PROPERTY_SHRINK") != "0":
    PHASES.append(Phase.shrink)

HEAVY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    phases=PHASES,
)
"""For examples that start an engine: about a tenth of a second each."""

LIGHT = settings(HEAVY, max_examples=5 * EXAMPLES)
"""For examples that read no data."""
