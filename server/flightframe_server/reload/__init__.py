"""Reload: the files of an installation read again under running clients, and put to use as one."""

from flightframe_server.reload.outcome import ReloadMistake, ReloadOutcome, ReloadStatus
from flightframe_server.reload.reloader import Reloader

__all__ = ["ReloadMistake", "ReloadOutcome", "ReloadStatus", "Reloader"]
