"""A folder as an attacker fills it: a module of every name that a command could import, each of which tells on itself."""

import os
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

OWN = "hutong"
FOLDERS = ("adapters", "contracts", "light_clients", "relay")
"""What was imported under these names, and stands beside `hutong` in a checkout."""
TELLS = """
import os
with open({marker!r}, "a") as told:
    told.write(__name__ + " " + repr(__file__) + "\\n")
"""


@cache
def module_names() -> list[str]:
    """Top-level names of the standard library, of everything that is installed, and of Python's start."""
    names = {*sys.stdlib_module_names, *packages_distributions(), "sitecustomize", "usercustomize", *FOLDERS, OWN}
    return sorted(name for name in names if name.isidentifier() and name != "__main__")


class HostileFolder:
    """`path` is the folder; `told` says which of its modules were imported."""

    def __init__(self, path: Path, *, own_packages: bool) -> None:
        self.path = path / "hostile"
        self._marker = path / "imported"
        self.path.mkdir()
        tells = path / "tells.py"
        tells.write_text(TELLS.format(marker=str(self._marker)))
        for name in module_names():
            if name in (*FOLDERS, OWN):
                if own_packages or name != OWN:
                    (self.path / name).mkdir()
                    (self.path / name / "__init__.py").hardlink_to(tells)
            else:
                (self.path / f"{name}.py").hardlink_to(tells)

    @property
    def told(self) -> str:
        return self._marker.read_text() if self._marker.exists() else ""

    def run(self, command: tuple[str, ...], *arguments: object, limit_s: float = 60.0, **environment: str):
        """Run a command of hutong there, without a terminal; a daemon is ended after `limit_s`."""
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        try:
            said, complained = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            process.terminate()
            said, complained = process.communicate(timeout=30)
        return subprocess.CompletedProcess(command, process.returncode, said, complained)
