"""Programs of others that the demo runs: where an option says, else on the PATH."""

import os
import shutil
from pathlib import Path


class ProgramMissing(Exception):
    """One sentence for the person at the terminal."""


def find_program(name: str, given: Path | None) -> Path:
    """The executable `name`, which `--name PATH` may have given.

    Raises:
        ProgramMissing: there is none.
    """
    if given is not None:
        if given.is_file() and os.access(given, os.X_OK):
            return given.resolve()
        raise ProgramMissing(f"--{name} {given}: no program is there")
    found = shutil.which(name)
    if found is None:
        raise ProgramMissing(f"{name} is not on the PATH: install it, or say where it is with --{name} PATH")
    return Path(found).resolve()
