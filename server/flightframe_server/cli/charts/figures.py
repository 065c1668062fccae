"""Big numbers, for an answer without levels.

What comes in: a value as a text. What goes out: lines of blocks, or the text itself where it holds
a sign that has no shape here or no room. It must never leave a digit out.
"""

from __future__ import annotations

from flightframe_server.cli.layout import padded

HEIGHT = 5
SHAPES = {
    "0": "###|# #|# #|# #|###",
    "1": " # |## | # | # |###",
    "2": "###|  #|###|#  |###",
    "3": "###|  #|###|  #|###",
    "4": "# #|# #|###|  #|  #",
    "5": "###|#  |###|  #|###",
    "6": "###|#  |###|# #|###",
    "7": "###|  #|  #|  #|  #",
    "8": "###|# #|###|# #|###",
    "9": "###|# #|###|  #|###",
    "-": "   |   |###|   |   ",
    "+": "   | # |###| # |   ",
    ".": " | | | |#",
    ",": "  |  |  | #|# ",
    "e": "   |###|## |#  |###",
}


def figure(text: str, width: int, *, ascii_only: bool) -> list[str]:
    r"""Return a number as big as it fits.

    >>> print("\n".join(figure("1.5", 20, ascii_only=True)))
     #    ###
    ##    #
     #    ###
     #      #
    ### # ###
    """
    rows = [SHAPES[letter].split("|") for letter in text if letter in SHAPES]
    if not text or len(rows) < len(text) or sum(len(row[0]) + 1 for row in rows) - 1 > width:
        return [text]
    lines = [
        " ".join(padded(row[number], len(row[0])) for row in rows).rstrip()
        for number in range(HEIGHT)
    ]
    return lines if ascii_only else [line.replace("#", "█") for line in lines]
