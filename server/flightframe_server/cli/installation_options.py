"""Arguments of the commands that look into an installation's own files and store.

What comes in: a command line. What goes out: the manifest's path, its store, and which collections
are meant. It must never open anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flightframe_server.answer import engine_named
from flightframe_server.app import OpenInstallation
from flightframe_server.cli.option_kinds import as_text, path_option

InstallationPath = Annotated[
    Path, typer.Argument(metavar="INSTALLATION.yaml", help="The installation's manifest.")
]
StoreOption = Annotated[
    Path | None,
    path_option(
        "--store",
        "DIR",
        "Folder of the kept answers.",
        otherwise="metric_engine.store of the installation",
    ),
]
CollectionOption = Annotated[
    str | None,
    typer.Option(
        "--collection",
        help="Which collection.",
        show_default="all of them",
        callback=as_text,
    ),
]


def collection_names(opened: OpenInstallation, name: str | None) -> tuple[str, ...]:
    """Return the collection of a name, written in any case, or all of them.

    Raises:
        UnknownName: there is none of that name.
    """
    if name is None:
        return tuple(opened.runtime.engines)
    return (engine_named(opened.runtime, name).collection.name,)
