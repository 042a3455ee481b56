"""Keeping the memory of a process that holds keys out of files."""

import faulthandler
import resource


def forbid_core_dumps() -> None:
    """From now on a crash of this process, or of one that it starts, writes no core file; where the system allows it."""
    faulthandler.disable()
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return
