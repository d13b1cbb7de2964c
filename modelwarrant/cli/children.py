"""How does a process of a pool work, and how does it end with the command that started it?

A pool's processes wait for work on a pipe of which each holds both ends: of a command that was
killed they would never hear, go on with what they had, and then keep their memory for ever.
"""

import importlib
import multiprocessing
import os
import threading

__all__ = ["begin", "end_with_parent"]


def begin() -> None:
    """Prepare a process that fits models; to be handed to a pool as its initializer.

    Loads what has threads of its own, so that the work can hold them to one.
    """
    end_with_parent()
    importlib.import_module("sklearn.ensemble")


def end_with_parent() -> None:
    """End this process as soon as its parent is gone, in the middle of its work, too.

    What a process of a pool finds is handed to its parent, so nothing is lost with it.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
