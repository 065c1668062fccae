"""One run of a client's own script, in its own environment, against a server: its report.

What comes in: a declared client and where the server is. What goes out: the report that the script
printed. It must never run a client in the process of the tests.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foreign_clients import ADBC, GIZMOSQL, LAKEHOUSE, ForeignClient
from foreign_setups import HERE, SETUPS

SECONDS = 120
SCRIPTS = HERE / "scripts"
# Arrow's buffers need it from Java 16 on; the other flag trades peak speed for a quick start.
JAVA = ("java", "-XX:TieredStopAtLevel=1", "--add-opens=java.base/java.nio=ALL-UNNAMED")


@dataclass(frozen=True, slots=True)
class Secured:
    """How a server that speaks TLS and asks for credentials is entered.

    Attributes:
        port: where it listens, on the same host.
        plain_port: where one listens that asks for the same without TLS.
        roots: the file of the certificate that signed the server's.
    """

    port: int
    plain_port: int
    user: str
    password: str
    token: str
    roots: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where the servers are: one that asks nothing, and those that are secured."""

    host: str
    port: int
    secured: Secured


def run(client: ForeignClient, target: Target) -> dict[str, Any]:
    """Run a client's script and return its report.

    Raises:
        AssertionError: it printed no report.
    """
    folder = SETUPS[client.setup].folder
    done = subprocess.run(
        command(client, target),
        cwd=folder if client.setup == "node" else HERE,
        env=environment(target),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{client.key} ended with {done.returncode}\n{done.stderr[-4000:]}"
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def environment(target: Target) -> dict[str, str]:
    """Return the environment of a script: the certificate stands in it for the client over grpc-js.

    What the tests run with must not leak into another environment's interpreter.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    roots = target.secured.roots
    return kept | {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": roots}


def command(client: ForeignClient, target: Target) -> list[str]:
    """Return the command line of a client's script."""
    folder = SETUPS[client.setup].folder
    place = json.dumps(dataclasses.asdict(target))
    if client in (GIZMOSQL, LAKEHOUSE):
        return ["node", "gizmosql.mjs" if client is GIZMOSQL else "lakehouse.mjs", place]
    if client.setup.startswith("jdbc"):
        path = os.pathsep.join(
            [str(folder / "classes"), *map(str, (folder / "jars").glob("*.jar"))]
        )
        url = f"jdbc:arrow-flight-sql://{target.host}:{target.port}/?useEncryption=false"
        secured = target.secured
        over_tls = (
            f"jdbc:arrow-flight-sql://{target.host}:{secured.port}/?tlsRootCerts={secured.roots}"
        )
        entered = [over_tls, secured.user, secured.password, secured.token]
        return [*JAVA, "-cp", path, "JdbcClient", client.version, url, *entered]
    script = SCRIPTS / ("adbc_client.py" if client in ADBC else "dbapi_client.py")
    python = Path(sys.executable) if client.setup == "main" else folder / "bin" / "python"
    return [str(python), str(script), place]
