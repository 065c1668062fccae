"""A back-end whose statements wait, and questions that are asked beside each other."""

import threading


class Stalled:
    """A back-end that counts what it reads, and holds each reading until it is let go.

    `holds` are the calls that wait, `untold` the tables of which it cannot tell the version.
    """

    def __init__(self, backend):
        self._backend, self.untold = backend, frozenset()
        self.holds = {"run", "duplicate", "edge_map"}
        self.begun, self.let, self.read = threading.Semaphore(0), threading.Event(), []
        self._lock = threading.Lock()

    def __getattr__(self, name):
        return getattr(self._backend, name)

    def fingerprints(self, tables):
        found = self._backend.fingerprints(tables)
        return {name: None if name in self.untold else sign for name, sign in found.items()}

    def _held(self, name, *what, at, **how):
        with self._lock:
            self.read.append(name)
        if name in self.holds:
            self.begun.release()
            assert self.let.wait(60)
        known = {table: sign for table, sign in at.items() if sign is not None}
        return getattr(self._backend, name)(*what, at=known, **how)

    def run(self, *what, **how):
        return self._held("run", *what, **how)

    def duplicate(self, *what, **how):
        return self._held("duplicate", *what, **how)

    def edge_map(self, *what, **how):
        return self._held("edge_map", *what, **how)


class Asked(threading.Thread):
    """One call in a thread of its own; `join` returns what it gave, or raises what it raised."""

    def __init__(self, call, *what):
        super().__init__(daemon=True)
        self._call, self._what, self._gave = call, what, None
        self.start()

    def run(self):
        try:
            self._gave = self._call(*self._what)
        except BaseException as error:
            self._gave = error

    def join(self, timeout=20):
        super().join(timeout)
        assert not self.is_alive()
        if isinstance(self._gave, BaseException):
            raise self._gave
        return self._gave
