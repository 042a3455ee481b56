"""What hubs and auditors judge needs no library of the extra `storage`: the verifier alone stays small."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.long
"""A process of its own."""

LOADS = """
import sys
from importlib import import_module
from pkgutil import iter_modules

for room in ("audits", "commitments", "lifecycle", "operator_api", "records"):
    package = import_module(f"hutong.relay.services.storage.rules.{room}")
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
print(sorted({"blake3", "cryptography", "joserfc", "pyeclib"} & set(sys.modules)))
"""


def test_rules_of_audits_load_no_library_of_the_extra():
    done = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
