"""Every module of the product can be imported: a name that only type checkers see would end a command, and no linter tells."""

import subprocess
import sys

import pytest

from tests.house.sources import PACKAGES, ROOT, modules

IMPORT_ALL = """
import importlib, sys
for name in sys.stdin.read().split():
    importlib.import_module(name)
"""
NEEDS_MORE = ("migrations.env",)
"""Run by Alembic alone, inside a migration."""


@pytest.mark.long
def test_every_module_can_be_imported():
    names = [module.dotted for module in modules(PACKAGES)]
    names = [name for name in names if not name.endswith((".__main__", *NEEDS_MORE))]
    assert len(names) > 900
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], input="\n".join(names), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
