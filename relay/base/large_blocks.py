"""Memory of large blocks that is used again, and not given back to the system and taken anew for each.

glibc maps a block of more than some 100 KiB by itself, or trims what lies free at the heap's end: each page is then faulted in again,
which costs more than what is done with it. Measured: opening sealed records 2.5 ms/MiB, and 0.45 with the memory kept.
"""

import ctypes
from typing import Final

TRIM_BYTES: Final = 128 * 2**20
"""So much lies free at most before it is given back."""
_MAP_BYTES: Final = 32 * 2**20
"""The largest that glibc takes: blocks below it come from the heap."""
_TOP_BYTES: Final = 8 * 2**20
# Of malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_TOP_PAD: Final = -2
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8


def keep_large_blocks() -> bool:
    """For the whole process, from now on; whether the C library has it. Others do as they do."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    wanted = (
        (_M_MMAP_THRESHOLD, _MAP_BYTES),
        (_M_TRIM_THRESHOLD, TRIM_BYTES),
        (_M_TOP_PAD, _TOP_BYTES),
        # Heaps of threads are trimmed by themselves: with one there is one to keep.
        (_M_ARENA_MAX, 1),
    )
    return all(library.mallopt(name, value) == 1 for name, value in wanted)
