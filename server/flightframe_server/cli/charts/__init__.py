"""Charts in a terminal: lines, bars and big numbers, chosen by the anchor of an answer."""
