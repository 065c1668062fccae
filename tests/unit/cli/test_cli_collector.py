"""What was there before a server is left alone by the garbage collector, and freed after it."""

import gc
import weakref

import pytest

from flightframe_server.cli.collector import spared_imports


class Circle:
    """Something that only the collector frees."""

    def __init__(self):
        self.itself = self


@pytest.mark.slow
def test_what_was_there_is_looked_at_no_more():
    before = len(gc.get_objects())
    with spared_imports():
        assert gc.get_freeze_count() > before / 2
        assert len(gc.get_objects()) < before / 2
    assert gc.get_freeze_count() == 0


@pytest.mark.slow
def test_what_comes_later_is_freed_and_so_is_what_was_there_once_it_is_over():
    spared = Circle()
    with spared_imports():
        later = Circle()
        gone, kept = weakref.ref(later), weakref.ref(spared)
        del later, spared
        gc.collect()
        assert (gone() is None, kept() is None) == (True, False)
    gc.collect()
    assert kept() is None
