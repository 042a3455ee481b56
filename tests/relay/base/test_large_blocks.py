"""The C library is told in a process of its own: it is for the whole of one."""

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(
    not hasattr(os, "confstr") or "glibc" not in (os.confstr("CS_GNU_LIBC_VERSION") or ""), reason="glibc"
)
def test_memory_of_large_blocks_is_kept_and_the_blocks_are_right():
    program = (
        "from hutong.relay.base.large_blocks import keep_large_blocks\n"
        "assert keep_large_blocks()\n"
        "blocks = [bytearray([n]) * 3_000_000 for n in range(9)]\n"
        "assert [set(block) for block in blocks] == [{n} for n in range(9)]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
