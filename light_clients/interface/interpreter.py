"""Whether this interpreter runs verification whole: under `-O` assertions are left out, and libraries have rules in theirs."""

import sys

OPTIMISED = "Python runs with -O or PYTHONOPTIMIZE, which leaves out checks that verification depends on: start hutong without it"


def unfit_interpreter(optimize: int = sys.flags.optimize) -> str | None:
    """One sentence for the person who started the process, or None."""
    return OPTIMISED if optimize else None
