"""Something that is made of parts: they start one after another, and all are stopped together."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TypeVar

AssemblyT = TypeVar("AssemblyT", bound="Assembly")


class Assembly(ABC):
    """Nothing outlives ``stop``, which knows how to stop each part before that starts."""

    def __init__(self) -> None:
        self._running = ExitStack()
        # A batch from before a restart may end while the rest is still starting.
        self._takes_events = threading.Event()

    def start(self: AssemblyT) -> AssemblyT:
        try:
            self._start()
        except BaseException:  # Ctrl-C, too: what has started would keep the program
            self.stop()
            raise
        self._takes_events.set()
        return self

    def stop(self) -> None:
        self._takes_events.set()
        self._running.close()

    @abstractmethod
    def _start(self) -> None: ...

    def __enter__(self: AssemblyT) -> AssemblyT:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
