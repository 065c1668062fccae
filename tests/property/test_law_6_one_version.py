"""Law 6: an answer is of one version of the data, whenever the data is replaced.

The back-end is asked as a server asks it, and at any of those moments the tables are other tables.
"""

from ac_yaml import model_and_collection
from asked import EXACT, MIXED, questions
from budget import HEAVY
from hypothesis import given, note
from hypothesis import strategies as st
from oracle import Overflow, member_key
from rig import SOURCE, MemoryBackend, Rig, rows_of, same
from worlds import shapes, tables

from flightframe_server.errors import BackendError, FDViolation, TicketRefused


class Changing(MemoryBackend):
    """A back-end under which the data is replaced at chosen calls."""

    def __init__(self):
        super().__init__()
        self.calls, self.moments, self.change = 0, frozenset(), lambda: None

    def _called(self):
        self.calls += 1
        if self.calls in self.moments:
            self.change()

    def fingerprints(self, tables):
        self._called()
        return super().fingerprints(tables)

    def run(self, query, **how):
        self._called()
        return super().run(query, **how)

    def edge_map(self, hop):
        self._called()
        return super().edge_map(hop)


class Changed(Rig):
    """A rig that knows every version its data has had."""

    def __init__(self, shape, versions):
        super().__init__(shape, versions[0], backend=Changing)
        self.versions, self.at = versions, 0
        self.backend.change = self.move

    def move(self):
        """Put the next version in place."""
        if self.at + 1 < len(self.versions):
            self.at += 1
            known = self.source.sign is not None
            self.replace(self.versions[self.at], str(self.at) if known else None)

    def __exit__(self, *_):
        super().__exit__()
        SOURCE.sign = "0"

    def of_one_version(self, question, got, first=0, in_order=True):
        """Whether some version from `first` to now gives exactly these rows."""
        width = len(question.anchor)
        for data in self.versions[first : self.at + 1]:
            self.tables = data
            try:
                expected = self.expected(question)
            except (Overflow, AssertionError):
                continue
            if not in_order:
                got, expected = (
                    sorted(rows, key=lambda row: list(map(member_key, row[:width])))
                    for rows in (got, expected)
                )
            if len(got) == len(expected) and all(
                all(map(same, one, other)) for one, other in zip(got, expected, strict=True)
            ):
                return True
        return False


@st.composite
def changes(draw):
    """Versions of a world's data, questions, and the moments at which the data changes."""
    shape = draw(shapes)
    model, _ = model_and_collection(shape)
    versions = [draw(tables(shape)) for _ in range(3)]
    if draw(st.booleans()) and versions[1]["stores"]:
        first = versions[1]["stores"][0]
        versions[1]["stores"].append({**first, "region": "somewhere else"})
    asked = draw(
        st.lists(
            questions(model, only=draw(st.sampled_from([MIXED, EXACT]))), min_size=1, max_size=3
        )
    )
    moments = draw(st.frozensets(st.integers(1, 40), min_size=1, max_size=2))
    return shape, versions, asked, moments


@HEAVY
@given(changes())
def test_law_6_an_answer_is_of_one_version_and_never_stale(given):
    shape, versions, asked, moments = given
    with Changed(shape, versions) as rig:
        rig.backend.calls, rig.backend.moments = 0, moments
        for question in (*asked, *asked, *asked):
            note(f"{question} at {rig.at}")
            before = rig.at
            try:
                got = rows_of(rig.ask(question))
            except (BackendError, FDViolation):
                continue
            # The version of before the question, or one that came while it was answered.
            assert rig.of_one_version(question, got, first=before), (str(question), got)
        rig.backend.moments = frozenset()
        for question in asked:
            try:
                got = rows_of(rig.ask(question))
            except FDViolation:
                assert rig.at == 1
                continue
            assert rig.of_one_version(question, got, first=rig.at), (str(question), got)


@HEAVY
@given(changes())
def test_law_6_a_stream_is_of_one_version(given):
    shape, versions, asked, moments = given
    with Changed(shape, versions) as rig:
        rig.backend.calls, rig.backend.moments = 0, moments
        for question in asked:
            before = rig.at
            try:
                got = rows_of(rig.streamed(question))
            except (BackendError, FDViolation, TicketRefused):
                continue
            assert rig.of_one_version(question, got, before, in_order=False), (str(question), got)


@HEAVY
@given(changes())
def test_law_6_parts_of_unknown_version_are_never_mixed(given):
    shape, versions, asked, moments = given
    with Changed(shape, versions[::2]) as rig:
        SOURCE.sign = None
        rig.backend.calls, rig.backend.moments = 0, moments
        for question in asked:
            before = rig.at
            try:
                found = rig.ask(question)
            except BackendError:
                continue
            assert str(found.provenance.served_from) == "engine_backend"
            got = rows_of(found)
            assert rig.of_one_version(question, got, before, in_order=False), (str(question), got)
        assert not rig.entries()
