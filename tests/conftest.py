"""What holds for every test: hypothesis judges answers, never the speed of the machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("flightframe", deadline=None, print_blob=True)
settings.load_profile("flightframe")
