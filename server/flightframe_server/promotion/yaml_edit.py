"""The text of ac.yaml with further hints: a few letters put in, every other one kept.

What comes in: the text of a sound collection, and what is to be hinted. What goes out: the text
with the hints. It must never change, move or drop a letter that stands there, and never return a
text that means anything else but the same collection with these hints: the result is read again
and compared, and where that fails the edit is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import yaml

from flightframe_server.catalog import read_collection
from flightframe_server.catalog.collection import Collection, MetricFamily, RootedMetric
from flightframe_server.errors import CatalogError
from flightframe_server.promotion.stanza import (
    Promotion,
    anchor_text,
    hint_lines,
    item_line,
    remark_text,
    stanza,
)
from flightframe_server.promotion.yaml_spans import Kind, Span, read_spans

BYTE_ORDER_MARK = "\ufeff"
_BREAK = re.compile(r"\r\n|\n|\r")
_KEEPS_BLANKS = re.compile(r"[|>][-0-9]*\+")


class _NoPlace(Exception):
    """There is no place where a hint can be put in safely; the text says why."""


@dataclass(frozen=True, slots=True)
class _Insertion:
    """Letters to be put in before the one at an offset."""

    offset: int
    text: str


def with_hints(text: str, file: str, promotions: Sequence[Promotion]) -> str:
    """Return the text of a collection with further anchors hinted.

    Args:
        text: the whole file, line breaks as they stand in it.
        file: its name without a folder, for messages.
        promotions: families and anchors by their names as declared, none of them hinted yet.

    Raises:
        CatalogError: the text is wrong, or with the hints would be; or the hints cannot be put in
            without touching anything else: `details` then holds the `stanza` to paste.
    """
    before = read_collection(text, file)
    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
    body = text.removeprefix(mark)
    grouped: dict[str, list[Promotion]] = {}
    for promotion in promotions:
        grouped.setdefault(promotion.family, []).append(promotion)
    try:
        edited = mark + _inserted(body, list(_insertions(body, grouped)))
        after = read_collection(edited, file)
        if not is_same_but_hints(before, after, grouped):
            raise _NoPlace("other declarations would change with it")
    except (_NoPlace, yaml.YAMLError) as reason:
        raise _refusal(before, grouped, str(reason)) from None
    except CatalogError as error:
        raise _refused_by_catalog(text, file, grouped, error) from None
    return edited


def is_same_but_hints(
    before: Collection, after: Collection, promoted: Mapping[str, Sequence[Promotion]]
) -> bool:
    """Return whether a collection is another one with exactly these anchors hinted besides."""
    if list(before.metric_families) != list(after.metric_families):
        return False
    expected = {
        name: _hinted(family, promoted.get(name, ()))
        for name, family in before.metric_families.items()
    }
    return (
        expected == dict(after.metric_families)
        and dict(before.schemas) == dict(after.schemas)
        and list(before.schemas) == list(after.schemas)
        and dict(before.dimension_families) == dict(after.dimension_families)
        and list(before.dimension_families) == list(after.dimension_families)
        and dict(before.frames) == dict(after.frames)
        and (before.name, before.description, before.timezone, before.content_hash)
        == (after.name, after.description, after.timezone, after.content_hash)
    )


def _hinted(family: MetricFamily, promoted: Sequence[Promotion]) -> MetricFamily:
    if not promoted or not isinstance(family.meaning, RootedMetric):
        return family
    anchors = (*family.meaning.materialize_at, *(one.anchor for one in promoted))
    return replace(family, meaning=replace(family.meaning, materialize_at=anchors))


def _insertions(text: str, grouped: Mapping[str, Sequence[Promotion]]) -> Iterator[_Insertion]:
    families = read_spans(text).get("metric_families")
    if families is None or families.kind is not Kind.LIST:
        raise _NoPlace("metric_families is an alias")
    for name, promotions in grouped.items():
        yield from _Family(text, _family_span(families, name)).insertions(promotions)


def _family_span(families: Span, name: str) -> Span:
    for item in families.items:
        stated = item.get("name")
        if item.kind is Kind.MAP and stated is not None and stated.value == name:
            return item
    raise _NoPlace(f"the family '{name}' is an alias")


def _inserted(text: str, insertions: Sequence[_Insertion]) -> str:
    pieces: list[str] = []
    done = 0
    for insertion in sorted(insertions, key=lambda one: one.offset):
        pieces += text[done : insertion.offset], insertion.text
        done = insertion.offset
    return "".join((*pieces, text[done:]))


@dataclass(frozen=True, slots=True)
class _Family:
    """One family in its text, and where hints can be put into it."""

    text: str
    span: Span

    def insertions(self, promotions: Sequence[Promotion]) -> Iterator[_Insertion]:
        """Yield what is to be put in."""
        hint = self.span.get("cache_hint")
        if hint is None:
            yield self._whole_hint(promotions)
            return
        if hint.kind is not Kind.MAP:
            raise _NoPlace("its cache_hint is an alias, or empty")
        anchors = hint.get("materialize_at")
        if anchors is None and not hint.entries:
            listed = ", ".join(anchor_text(one.anchor) for one in promotions)
            yield _Insertion(hint.end - 1, f"materialize_at: [{listed}]")
        elif anchors is None or anchors.kind is not Kind.LIST:
            raise _NoPlace("its materialize_at is an alias, or empty")
        elif anchors.flow:
            yield from self._in_flow(anchors, promotions)
        else:
            lines = [item_line(one) for one in promotions]
            yield self._lines_after(anchors.items[-1], self._dash_column(anchors), lines)

    def _whole_hint(self, promotions: Sequence[Promotion]) -> _Insertion:
        """Return a `cache_hint` of its own, as the last key of the family."""
        _, last = self.span.entries[-1]
        if not self.span.flow:
            return self._lines_after(last, self.span.column, hint_lines(promotions))
        listed = ", ".join(anchor_text(one.anchor) for one in promotions)
        return _Insertion(last.end, f", cache_hint: {{materialize_at: [{listed}]}}")

    def _in_flow(self, anchors: Span, promotions: Sequence[Promotion]) -> Iterator[_Insertion]:
        """Yield further items of a list in brackets: on a line of their own where each has one."""
        texts = [anchor_text(one.anchor) for one in promotions]
        if not anchors.items:
            yield _Insertion(anchors.end - 1, ", ".join(texts))
            return
        last = anchors.items[-1]
        rest = self.text[last.end : self._line_end(last.end)].lstrip(" \t,")
        if self._begins_its_line(last) and (not rest or rest.startswith("#")):
            behind = self.text[last.end : anchors.end - 1]
            trailing = behind.lstrip().startswith(",")
            if not trailing:
                yield _Insertion(last.end, ",")
            commas = [","] * (len(texts) - 1) + ["," if trailing else ""]
            remarks = (remark_text(one) for one in promotions)
            lines = map("".join, zip(texts, commas, remarks, strict=True))
            yield self._lines_after(last, last.column, list(lines))
        else:
            own_lines = len(anchors.items) > 1 and self._begins_its_line(last)
            between = f",{self._newline()}{' ' * last.column}" if own_lines else ", "
            yield _Insertion(last.end, "".join(f"{between}{one}" for one in texts))

    def _lines_after(self, last: Span, column: int, lines: Sequence[str]) -> _Insertion:
        """Return lines of their own behind the line on which a piece ends."""
        indent = " " * column
        newline = self._newline()
        end = self._content_end(last)
        at_start = end > 0 and self.text[end - 1] in "\r\n"
        place = end if at_start else self._line_end(end)
        match = _BREAK.match(self.text, place)
        if at_start or match is not None:
            offset = place if at_start else match.end() if match is not None else place
            return _Insertion(offset, "".join(f"{indent}{line}{newline}" for line in lines))
        # The file ends without a line break, and so it does afterwards.
        return _Insertion(place, "".join(f"{newline}{indent}{line}" for line in lines))

    def _content_end(self, last: Span) -> int:
        """Return where content ends: of a text after `|` before the blank lines that follow it."""
        leaf = _last_leaf(last)
        if not leaf.block_scalar or _KEEPS_BLANKS.match(self.text, leaf.start):
            return leaf.end
        content = self.text[leaf.start : leaf.end].rstrip(" \t\r\n")
        return leaf.start + len(content)

    def _dash_column(self, anchors: Span) -> int:
        """Return where the first dash of a list stands: its own mark may be that of a name."""
        dash = self.text.rfind("-", 0, anchors.items[0].start)
        return dash - self._line_start(dash)

    def _begins_its_line(self, span: Span) -> bool:
        return not self.text[self._line_start(span.start) : span.start].strip(" \t")

    def _line_start(self, offset: int) -> int:
        return max(self.text.rfind("\n", 0, offset), self.text.rfind("\r", 0, offset)) + 1

    def _line_end(self, offset: int) -> int:
        match = _BREAK.search(self.text, offset)
        return len(self.text) if match is None else match.start()

    def _newline(self) -> str:
        match = _BREAK.search(self.text)
        return "\n" if match is None else match.group()


def _last_leaf(span: Span) -> Span:
    """Return the piece with which another one ends; itself where it ends with a bracket."""
    while not span.flow:
        if span.kind is Kind.MAP and span.entries:
            span = span.entries[-1][1]
        elif span.kind is Kind.LIST and span.items:
            span = span.items[-1]
        else:
            break
    return span


def _refusal(
    before: Collection, grouped: Mapping[str, Sequence[Promotion]], reason: str
) -> CatalogError:
    """Return the error of an edit that is left to a person, with what to paste."""
    error = CatalogError(
        f"the hints cannot be put in without touching anything else: {reason}",
        file=before.file,
        hint="paste the stanza by hand",
    )
    stanzas = (stanza(name, before.file, promoted) for name, promoted in grouped.items())
    error.details["stanza"] = "\n\n".join(stanzas)
    return error


def _refused_by_catalog(
    text: str, file: str, grouped: Mapping[str, Sequence[Promotion]], error: CatalogError
) -> CatalogError:
    """Return why the edited text is refused: by its content, or since it was no place for it."""
    if "cache_hint" in str(error.details.get("path", "")):
        return error
    return _refusal(read_collection(text, file), grouped, error.message)
