"""Where Python looks for modules: never in the folder that a command is started in.

`hutong audit` is run inside folders that others filled. A `struct.py` there must stay a file among files: if it were
imported, whoever wrote it would decide what is "proven". Only `os`, `site` and `sys` are imported here, which are
loaded before any program starts, so that this module can run before everything else.
"""

import os
import site
import sys

SAFE_PATH = "PYTHONSAFEPATH"
"""Python 3.11 and later: no folder of a script, a `-m` or a `-c` is put in front of the import path."""
SEARCH_PATH = "PYTHONPATH"

OWN_ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
"""The folder that holds `hutong`: a checkout, or `site-packages`."""


def without_working_folder(entries: list[str]) -> list[str]:
    """The entries of an import path that do not depend on, and are not, the folder that the process stands in.

    The folders of Python and of hutong stay also for those who stand in one: their code runs already.
    """
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # the folder was removed meanwhile
        here = ""
    installed = _installed()
    kept = []
    for entry in entries:
        found = here if entry in {"", os.curdir} else os.path.realpath(entry)
        if found in installed:
            kept.append(installed[found])
        elif os.path.isabs(entry) and found != here:
            kept.append(entry)
    return kept


def _installed() -> dict[str, str]:
    library = os.path.dirname(os.path.abspath(os.__file__))
    folders = [OWN_ROOT, library, os.path.join(library, "lib-dynload"), *site.getsitepackages()]
    return {os.path.realpath(folder): folder for folder in folders}


def leave_out_working_folder() -> None:
    """Import nothing from the folder that this process stands in, from now on."""
    sys.path[:] = without_working_folder(sys.path)


def safe_environment(environment: "os._Environ[str] | dict[str, str]") -> None:
    """Change an environment so that no Python started with it imports from the folder that it is started in."""
    environment[SAFE_PATH] = "1"
    asked = environment.get(SEARCH_PATH)
    if asked is None:
        return
    kept = without_working_folder(asked.split(os.pathsep))
    if kept:
        environment[SEARCH_PATH] = os.pathsep.join(kept)
    else:
        del environment[SEARCH_PATH]
