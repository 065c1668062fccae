"""Ask a running demonstration: parameters, data frames, provenance, and a refusal.

make demo                             in one terminal
.venv/bin/python examples/ask.py      in another
"""

from __future__ import annotations

import os

import flightframe

URI = os.environ.get("FLIGHTFRAME_URI", "grpc://127.0.0.1:8815")


def main() -> None:
    """Ask four questions and print what comes back."""
    with flightframe.connect(URI) as connection:
        print("What can be asked:")
        for collection in connection.describe().collections:
            for metric in collection.metrics:
                print(f"  {metric.name}: {metric.description}")

        print("\nRevenue and margin of one region, by quarter:")
        source = "SELECT revenue, margin AT quarter WHERE region = $region"
        result = connection.query(source, parameters={"region": "West"})
        print(result)

        print("\nWhere each column came from:")
        for column in result.provenance.columns:
            parts = ", ".join(f"{part.family} by {part.route}" for part in column.parts)
            print(f"  {column.column}: {parts or 'a level'}")

        print("\nWhat would be wrong is refused:")
        try:
            connection.query("SELECT on_hand AT region")
        except flightframe.Error as error:
            print(f"  {error}")


if __name__ == "__main__":
    main()
