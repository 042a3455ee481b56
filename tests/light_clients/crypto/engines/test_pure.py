import subprocess
import sys

OPTIONAL = ("cryptography", "eth_keys", "gmalg", "gmssl_pyx", "py_ecc")


def test_the_registry_imports_nothing_optional():
    code = (
        f"import sys, hutong.light_clients.crypto.engines; print([name for name in {OPTIONAL} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
