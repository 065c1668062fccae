"""The built page in what is distributed: a hook of hatchling, which calls it before each build.

What comes in: the checkout, or an unpacked sdist. What goes out: the page's files among those of
the wheel and of the sdist, though git ignores them. It must never build the page, which takes Node,
and never let a release go without it: .ci/release sets FLIGHTFRAME_RELEASE.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = "server/flightframe_server/web/page"


class PageHook(BuildHookInterface):
    """Adds the page where it was built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the page's files, or say that there are none.

        Raises:
            RuntimeError: there are none, and this is a release.
        """
        if version == "editable":
            return
        if (Path(self.root) / PAGE / "index.html").is_file():
            build_data["artifacts"].append(f"/{PAGE}/**")
        elif os.environ.get("FLIGHTFRAME_RELEASE") == "1":
            raise RuntimeError(f"a release has the page, and {PAGE} is not built: run `make page`")
        else:
            self.app.display_warning(f"without the page: {PAGE} is not built (`make page`)")
