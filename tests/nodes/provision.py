"""Outside nodes for tests marked `nodes`, into a cache that runs share: anvil, forge and cast from npm, simd (on ibc-go
v10 and v11), cometbft, btcd, geth 1.13 and versitygw (an S3 server) from their Go modules; PostgreSQL; promtool; Chromium and
axe-core for the explorer's tests. GoQuorum is taken from where `HUTONG_GOQUORUM` says that it lies.

    python tests/nodes/provision.py                 install what is missing and print where it lies
    python tests/nodes/provision.py simd cometbft   only these

The cache is `HUTONG_NODES`, else `hutong` in the user's cache directory. Versions are pinned here.
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOUNDRY_VERSION = "1.7.1"
TOOLS = ("anvil", "forge", "cast")
COMETBFT_VERSION = "v0.38.26"
VERSITYGW_VERSION = "v1.8.0"
BTCD_VERSION = "v0.26.2"
GETH_CLIQUE_VERSION = "v1.13.15"
"""The last of the 1.13 line; 1.14 seals no more."""
GOQUORUM_VARIABLE = "HUTONG_GOQUORUM"
AXE_VERSION = "4.14.1"
JAVASCRIPT_PEERS = {
    "@chainsafe/bls": "7.1.3",
    "@confio/ics23": "0.6.8",
    "@ethereumjs/mpt": "10.1.3",
    "@lodestar/config": "1.28.1",
    "@lodestar/light-client": "1.28.1",
    "@lodestar/params": "1.28.1",
    "@lodestar/types": "1.28.1",
}
INSTALL_TIMEOUT_S = 600
# A first build fetches and compiles about 300 modules: four minutes on two cores.
GO_BUILD_TIMEOUT_S = 1_800
ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
SIMD_SOURCES = Path(__file__).with_name("simd")
SIMD11_SOURCES = Path(__file__).with_name("simd11")


class NotProvisioned(Exception):
    """A program is not to be had on this machine; the text says why and what would help."""


def cache() -> Path:
    """Directory of everything that is installed for node tests."""
    configured = os.environ.get("HUTONG_NODES")
    return Path(configured) if configured else Path.home() / ".cache" / "hutong"


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One process at a time installs `name`; the others wait and find it there."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def platform_name() -> str:
    """Foundry's name of this machine in its npm packages."""
    machine = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    return f"{platform.system().lower()}-{machine}"


def foundry(tool: str) -> Path:
    """The binary of a Foundry tool, installed where it is missing."""
    home = cache() / "foundry"
    package = home / "node_modules" / "@foundry-rs" / f"{tool}-{platform_name()}"
    manifest = package / "package.json"
    with _alone("foundry"):
        if not manifest.is_file() or json.loads(manifest.read_text())["version"] != FOUNDRY_VERSION:
            home.mkdir(parents=True, exist_ok=True)
            _npm_install(home, [f"@foundry-rs/{name}@{FOUNDRY_VERSION}" for name in TOOLS])
    binary = package / "bin" / tool
    binary.chmod(0o755)
    return binary


def cometbft() -> Path:
    """CometBFT's node command, as its module publishes it."""
    module = f"github.com/cometbft/cometbft/cmd/cometbft@{COMETBFT_VERSION}"
    return _go_program("cometbft", COMETBFT_VERSION, ["install", module], cwd=None)


def versitygw() -> Path:
    """An S3 server over a folder, as its module publishes it."""
    module = f"github.com/versity/versitygw/cmd/versitygw@{VERSITYGW_VERSION}"
    return _go_program("versitygw", VERSITYGW_VERSION, ["install", module], cwd=None)


def btcd() -> Path:
    """A full node of Bitcoin, as its module publishes it."""
    return _go_program("btcd", BTCD_VERSION, ["install", f"github.com/btcsuite/btcd@{BTCD_VERSION}"], cwd=None)


def geth_clique() -> Path:
    """The last geth that seals Clique, as its module publishes it. Its linker flag is for Go 1.23 and later, which refuse
    what one of its modules links to."""
    module = f"github.com/ethereum/go-ethereum/cmd/geth@{GETH_CLIQUE_VERSION}"
    return _go_program("geth", GETH_CLIQUE_VERSION, ["install", "-ldflags=-checklinkname=0", module], cwd=None)


def goquorum() -> Path:
    """GoQuorum's `geth`, an operator's own: no registry that this script asks has it. Its Go module bears the name of
    go-ethereum, so `go install` takes it from nowhere but a fork's checkout."""
    configured = os.environ.get(GOQUORUM_VARIABLE)
    if not configured:
        raise NotProvisioned(f"no goquorum: name the `geth` of a GoQuorum release in {GOQUORUM_VARIABLE}")
    program = Path(configured)
    if not (program.is_file() and os.access(program, os.X_OK)):
        raise NotProvisioned(f"no goquorum: {GOQUORUM_VARIABLE} names {program}, which is no program")
    return program


def simd() -> Path:
    """The stock ibc-go v10 chain of `simd/`."""
    return _folder_program(SIMD_SOURCES)


def simd11() -> Path:
    """The stock ibc-go v11 chain of `simd11/`."""
    return _folder_program(SIMD11_SOURCES)


def _folder_program(sources: Path) -> Path:
    """A main package of ours: its go.mod pins every module, so the folder's bytes are the version."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        digest.update(hashlib.sha256((sources / name).read_bytes()).digest())
    return _go_program(sources.name, digest.hexdigest()[:16], ["install", "."], cwd=sources)


def _go_program(name: str, version: str, command: Sequence[str], cwd: Path | None) -> Path:
    """What `go <command>` installs, kept under its version."""
    binary = cache() / name / version / name
    if binary.is_file():
        return binary
    with _alone(name):
        if binary.is_file():
            return binary
        go = shutil.which("go")
        if go is None:
            raise NotProvisioned(f"no {name}: it is built from Go modules, and there is no `go` on the path")
        # Built beside its place: an interrupted build leaves nothing that looks like a program.
        unfinished = binary.parent.with_name(f"{version}.unfinished")
        environment = {**os.environ, "GOBIN": str(unfinished), "GOFLAGS": "-trimpath -buildvcs=false -mod=readonly"}
        try:
            result = subprocess.run(
                [go, *command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=GO_BUILD_TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            raise NotProvisioned(f"no {name}: not built within {GO_BUILD_TIMEOUT_S} s") from None
        if result.returncode:
            # go prints what it downloads before what failed
            lines = [line for line in result.stderr.splitlines() if not line.startswith("go: downloading")]
            raise NotProvisioned(f"no {name}: `go {' '.join(command)}` failed: {' '.join(lines)[:1_000]}")
        shutil.rmtree(binary.parent, ignore_errors=True)
        unfinished.replace(binary.parent)
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
    from hutong.contracts.compile import ensure_packages

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
        _install_debian_package("postgresql")
        found = _installed_postgres(program)
    if found is None:
        raise FileNotFoundError(f"no {program}: install PostgreSQL")
    return found


def _install_debian_package(name: str) -> None:
    for command in (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", name]):
        subprocess.run(command, check=True, stdout=sys.stderr, timeout=INSTALL_TIMEOUT_S)


def _installed_postgres(program: str) -> Path | None:
    versions = Path("/usr/lib/postgresql")
    candidates = sorted(versions.glob(f"*/bin/{program}"), key=lambda path: int(path.parts[-3]), reverse=True)
    if candidates:
        return candidates[0]
    found = shutil.which(program)
    return None if found is None else Path(found)


def chromium() -> Path:
    """A headless browser; Debian's package `chromium` is installed where it is missing."""
    if shutil.which("chromium") is None and shutil.which("apt-get") is not None:
        with _alone("chromium"):
            _install_debian_package("chromium")
    found = shutil.which("chromium")
    if found is None:
        raise FileNotFoundError("no chromium: install Chromium")
    return Path(found)


def axe() -> Path:
    """axe-core's one script, which judges the accessibility of a page that it is put into."""
    home = cache() / "axe"
    package = home / "node_modules" / "axe-core"
    manifest = package / "package.json"
    with _alone("axe"):
        if not manifest.is_file() or json.loads(manifest.read_text())["version"] != AXE_VERSION:
            home.mkdir(parents=True, exist_ok=True)
            _npm_install(home, [f"axe-core@{AXE_VERSION}"])
    return package / "axe.min.js"


def javascript_peers() -> Path:
    """The folder of other projects' verifiers from npm; ES modules are found from scripts that lie in it."""
    home = cache() / "javascript-peers"
    modules = home / "node_modules"
    with _alone("javascript-peers"):
        for name, version in JAVASCRIPT_PEERS.items():
            manifest = modules / name / "package.json"
            if not manifest.is_file() or json.loads(manifest.read_text())["version"] != version:
                home.mkdir(parents=True, exist_ok=True)
                _npm_install(home, [f"{each}@{pinned}" for each, pinned in JAVASCRIPT_PEERS.items()])
                break
    return home


def _npm_install(home: Path, packages: Sequence[str]) -> None:
    command = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", *packages]
    subprocess.run(command, cwd=home, check=True, stdout=sys.stderr, timeout=INSTALL_TIMEOUT_S)


def promtool() -> Path:
    """Prometheus' judge of rules, out of Debian's package `prometheus`; the server itself is not installed."""
    found = shutil.which("promtool")
    if found is not None:
        return Path(found)
    home = cache() / "prometheus"
    binary = home / "usr" / "bin" / "promtool"
    with _alone("prometheus"):
        if not binary.is_file():
            if shutil.which("apt-get") is None:
                raise NotProvisioned("no promtool: install Prometheus, or run this on a Debian machine")
            home.mkdir(parents=True, exist_ok=True)
            quiet: dict[str, Any] = {"check": True, "stdout": sys.stderr, "timeout": INSTALL_TIMEOUT_S, "cwd": home}
            subprocess.run(["apt-get", "update"], **quiet)
            subprocess.run(["apt-get", "download", "prometheus"], **quiet)
            (package,) = home.glob("prometheus_*.deb")
            subprocess.run(["dpkg-deb", "--extract", package, home], **quiet)
            package.unlink()
    return binary


def main(names: Sequence[str]) -> int:
    """Install and print; a program that is not to be had is one sentence, and the others are still installed."""
    programs = {
        **{tool: lambda tool=tool: foundry(tool) for tool in TOOLS},
        "solc": solc,
        "postgres": lambda: postgres("postgres"),
        "promtool": promtool,
        "cometbft": cometbft,
        "versitygw": versitygw,
        "btcd": btcd,
        "geth": geth_clique,
        "goquorum": goquorum,
        "simd": simd,
        "simd11": simd11,
        "chromium": chromium,
        "axe": axe,
        "javascript-peers": javascript_peers,
    }
    if not os.environ.get(GOQUORUM_VARIABLE) and not names:
        del programs["goquorum"]
    missing = 0
    for name in names or programs:
        try:
            print(programs[name]())
        except (NotProvisioned, FileNotFoundError, subprocess.SubprocessError) as error:
            print(error, file=sys.stderr)
            missing += 1
    return missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
