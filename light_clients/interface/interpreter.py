"""Whether this interpreter runs verification whole: under `-O` assertions are left out, and libraries have rules in theirs."""

import sys

OPTIMISED = "Python runs with -O or PYTHONOPTIMIZE, which leaves out checks that verification depends on: start hutong without it"


def unfit_interpreter(optimize: int = sys.flags.optimize) -> str | None:
    """One sentence for the person who started the process, or None where assertions run.

    `optimize` is the interpreter's level of `-O`; tests pass another. Entry points ask before anything is verified.
    """
    return OPTIMISED if optimize else None
