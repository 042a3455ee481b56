"""Outside nodes for tests marked `nodes`: anvil, forge and cast from npm, into a cache that runs share; PostgreSQL.

    python tests/nodes/provision.py     install what is missing and print where it lies

The cache is `HUTONG_NODES`, else `hutong` in the user's cache directory. Versions are pinned here.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

FOUNDRY_VERSION = "1.7.1"
TOOLS = ("anvil", "forge", "cast")
INSTALL_TIMEOUT_S = 600
ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"


def cache() -> Path:
    """Directory of everything that is installed for node tests."""
    configured = os.environ.get("HUTONG_NODES")
    return Path(configured) if configured else Path.home() / ".cache" / "hutong"


def platform_name() -> str:
    """Foundry's name of this machine in its npm packages."""
    machine = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    return f"{platform.system().lower()}-{machine}"


def foundry(tool: str) -> Path:
    """The binary of a Foundry tool, installed where it is missing."""
    home = cache() / "foundry"
    package = home / "node_modules" / "@foundry-rs" / f"{tool}-{platform_name()}"
    manifest = package / "package.json"
    if not manifest.is_file() or json.loads(manifest.read_text())["version"] != FOUNDRY_VERSION:
        home.mkdir(parents=True, exist_ok=True)
        names = [f"@foundry-rs/{name}@{FOUNDRY_VERSION}" for name in TOOLS]
        command = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", *names]
        subprocess.run(command, cwd=home, check=True, stdout=sys.stderr, timeout=INSTALL_TIMEOUT_S)
    binary = package / "bin" / tool
    binary.chmod(0o755)
    return binary


SOLC_WRAPPER = """#!/bin/sh
# what forge asks of a native solc, answered by solcjs
case "$*" in
*--version*) exec node "{script}" --version ;;
*) exec node "{script}" ;;
esac
"""


def solc() -> Path:
    """A command that forge takes for solc: the pinned npm compiler behind a shell script."""
    sys.path.insert(0, str(ROOT))
    from contracts.compile import ensure_packages

    ensure_packages()
    wrapper = cache() / "solc"
    wrapper.parent.mkdir(parents=True, exist_ok=True)
    if wrapper.is_dir():
        wrapper = cache() / "solc.sh"
    wrapper.write_text(SOLC_WRAPPER.format(script=Path(__file__).with_name("solc.cjs")))
    wrapper.chmod(0o755)
    return wrapper


def postgres(program: str) -> Path:
    """A program of an installed PostgreSQL (`initdb`, `postgres`); Debian's package `postgresql` is installed where it is missing."""
    found = _installed_postgres(program)
    if found is None:
        for command in (
            ["apt-get", "update"],
            ["apt-get", "install", "--yes", "--no-install-recommends", "postgresql"],
        ):
            subprocess.run(command, check=True, stdout=sys.stderr, timeout=INSTALL_TIMEOUT_S)
        found = _installed_postgres(program)
    if found is None:
        raise FileNotFoundError(f"no {program}: install PostgreSQL")
    return found


def _installed_postgres(program: str) -> Path | None:
    versions = Path("/usr/lib/postgresql")
    candidates = sorted(versions.glob(f"*/bin/{program}"), key=lambda path: int(path.parts[-3]), reverse=True)
    if candidates:
        return candidates[0]
    found = shutil.which(program)
    return None if found is None else Path(found)


if __name__ == "__main__":
    for name in TOOLS:
        print(foundry(name))
    print(solc())
    print(postgres("postgres"))
