"""Outside nodes for tests marked `nodes`, into a cache that runs share: anvil, forge and cast from npm, simd (on ibc-go
v10 and v11), cometbft and its priv_val_server, btcd, geth 1.13, versitygw (an S3 server) and a reader of signed logs from their Go modules; the test kit of the Dataspace Protocol from Maven Central; PostgreSQL;
tmkms from its crate; SeaweedFS; promtool; Chromium and axe-core for the explorer's tests; tokens for PKCS #11: SoftHSM2, and kryoptic from its crate; our own extension in Rust. GoQuorum is taken from where `HUTONG_GOQUORUM` says that it lies.

    python tests/nodes/provision.py                 install what is missing and print where it lies
    python tests/nodes/provision.py simd cometbft   only these; tmkms, kryoptic, seaweedfs and native-extension, which take long to build, and dsp-kit, by their names alone

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
TMKMS_VERSION = "0.15.0"
VERSITYGW_VERSION = "v1.8.0"
SEAWEEDFS_VERSION = "v0.0.0-20261109003541-7506e5f91cd6"
SEAWEEDFS_BIP39 = "github.com/tyler-smith/go-bip39=github.com/cosmos/go-bip39@v1.0.0"
"""In place of a module that is nowhere any more: SeaweedFS replaces it as well, which is why `go install` refuses it."""
BTCD_VERSION = "v0.26.2"
GETH_CLIQUE_VERSION = "v1.13.15"
"""The last of the 1.13 line; 1.14 seals no more."""
GOQUORUM_VARIABLE = "HUTONG_GOQUORUM"
AXE_VERSION = "4.14.1"
KRYOPTIC_VERSION = "1.5.4"
JAVASCRIPT_PEERS = {
    "@chainsafe/bls": "7.1.3",
    "@confio/ics23": "0.6.8",
    "@digitalbazaar/oid4-client": "5.10.0",
    "@ethereumjs/mpt": "10.1.3",
    "@hpke/chacha20poly1305": "1.8.0",
    "@hpke/core": "1.9.0",
    "@hpke/hybridkem-x-wing": "0.7.0",
    "@lodestar/config": "1.28.1",
    "@lodestar/light-client": "1.28.1",
    "@lodestar/params": "1.28.1",
    "@lodestar/types": "1.28.1",
    "@openid4vc/oauth2": "0.4.6",
    "@openid4vc/openid4vci": "0.4.6",
    "@openid4vc/openid4vp": "0.4.6",
    "@sd-jwt/crypto-nodejs": "0.19.0",
    "@sd-jwt/jwt-status-list": "0.19.0",
    "@sd-jwt/sd-jwt-vc": "0.19.0",
    "dcql": "3.0.0",
    "jose": "6.2.18",
}
PYTHON_PEERS = {"did-webvh": "1.0.1", "openvc-core": "1.37.0", "polaris-oid4vp": "1.0.0", "sd-jwt": "0.10.4"}
"""Other projects' verifiers from PyPI, in an environment of their own: their dependencies are not ours.

openvc-core is LGPL: it runs beside the tests, and nothing here imports it.
"""
INSTALL_TIMEOUT_S = 600
# A first build fetches and compiles about 300 modules: four minutes on two cores.
GO_BUILD_TIMEOUT_S = 1_800
# About a thousand packages: ten minutes of processor time.
SEAWEEDFS_BUILD_TIMEOUT_S = 7_200
# Some 120 crates: 75 s of processor time, six minutes on two busy cores.
CARGO_BUILD_TIMEOUT_S = 2_400
ROOT = Path(__file__).resolve().parents[2]
NATIVE_SOURCES = ROOT / "native"
CONTRACTS = ROOT / "contracts"
SIMD_SOURCES = Path(__file__).with_name("simd")
SIMD11_SOURCES = Path(__file__).with_name("simd11")
TLOG_PEER_SOURCES = Path(__file__).with_name("tlog_peer")
DSP_KIT_SOURCES = Path(__file__).parent / "directory" / "dsp_kit"


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


def priv_val_server() -> Path:
    """CometBFT's own signer of validators, of the same module."""
    module = f"github.com/cometbft/cometbft/cmd/priv_val_server@{COMETBFT_VERSION}"
    return _go_program("priv_val_server", COMETBFT_VERSION, ["install", module], cwd=None)


def tmkms_path() -> Path:
    """Where `tmkms` is once it was built. Only by its name: about 230 crates take too long for every run."""
    return cache() / "tmkms" / TMKMS_VERSION / "bin" / "tmkms"


def tmkms() -> Path:
    """The signer of Cosmos validators, with keys in files and without the libraries of devices."""
    binary = tmkms_path()
    with _alone("tmkms"):
        if binary.is_file():
            return binary
        cargo = shutil.which("cargo")
        if cargo is None:
            raise NotProvisioned("no tmkms: it is built from its crate, and there is no `cargo` on the path")
        unfinished = cache() / "tmkms" / "unfinished"
        wanted = [f"tmkms@{TMKMS_VERSION}", "--locked", "--features", "softsign", "--root", str(unfinished)]
        try:
            result = subprocess.run(
                [cargo, "install", "--quiet", *wanted], capture_output=True, text=True, timeout=CARGO_BUILD_TIMEOUT_S
            )
        except subprocess.TimeoutExpired:
            raise NotProvisioned(f"no tmkms: not built within {CARGO_BUILD_TIMEOUT_S} s") from None
        if result.returncode:
            raise NotProvisioned(f"no tmkms: `cargo install` failed: {result.stderr[-1_000:]}")
        binary.parent.mkdir(parents=True, exist_ok=True)
        (unfinished / "bin" / "tmkms").replace(binary)
        shutil.rmtree(unfinished)
    return binary


def versitygw() -> Path:
    """An S3 server over a folder, as its module publishes it."""
    module = f"github.com/versity/versitygw/cmd/versitygw@{VERSITYGW_VERSION}"
    return _go_program("versitygw", VERSITYGW_VERSION, ["install", module], cwd=None)


def seaweedfs_path() -> Path:
    """Where `weed` is once it was built. Only by its name, as tmkms."""
    return cache() / "seaweedfs" / SEAWEEDFS_VERSION / "weed"


def seaweedfs() -> Path:
    """SeaweedFS's one program, as its module publishes it: a second kind of S3 engine beside versitygw."""
    binary = seaweedfs_path()
    with _alone("seaweedfs"):
        if not binary.is_file():
            go = shutil.which("go")
            if go is None:
                raise NotProvisioned("no seaweedfs: it is built from Go modules, and there is no `go` on the path")
            _build_seaweedfs(go, binary)
    return binary


def _build_seaweedfs(go: str, binary: Path) -> None:
    """By a module of our own that needs it: its own has a replacement, with which nothing is installed."""
    work = cache() / "seaweedfs" / "unfinished"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    package = "github.com/seaweedfs/seaweedfs/weed"
    commands = (
        ["mod", "init", "hutong/nodes/seaweedfs"],
        ["mod", "edit", f"-replace={SEAWEEDFS_BIP39}"],
        ["get", "-tool", f"{package}@{SEAWEEDFS_VERSION}"],
        ["build", "-mod=mod", "-o", "weed", package],
    )
    environment = {**os.environ, "GOFLAGS": "-trimpath -buildvcs=false"}
    for command in commands:
        try:
            result = subprocess.run(
                [go, *command],
                cwd=work,
                env=environment,
                capture_output=True,
                text=True,
                timeout=SEAWEEDFS_BUILD_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise NotProvisioned(f"no seaweedfs: not built within {SEAWEEDFS_BUILD_TIMEOUT_S} s") from None
        if result.returncode:
            lines = [line for line in result.stderr.splitlines() if not line.startswith("go: downloading")]
            raise NotProvisioned(f"no seaweedfs: `go {command[0]}` failed: {' '.join(lines)[-1_000:]}")
    binary.parent.mkdir(parents=True, exist_ok=True)
    (work / "weed").replace(binary)
    shutil.rmtree(work)


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


def tlog_peer() -> Path:
    """The command of `tlog_peer/`: signed notes and transparency logs by Go's own packages, cosignatures by others'."""
    return _folder_program(TLOG_PEER_SOURCES)


def dsp_kit_path() -> Path:
    """Where the test kit of the Dataspace Protocol is once it was fetched. Only by its name: CI's machine may have no Java."""
    digest = hashlib.sha256()
    for name in ("pom.xml", "DspKit.java"):
        digest.update(hashlib.sha256((DSP_KIT_SOURCES / name).read_bytes()).digest())
    return cache() / "dsp-kit" / digest.hexdigest()[:16]


def dsp_kit() -> Path:
    """The official test kit of the Dataspace Protocol: a folder with its jars out of Maven Central in `lib`, and a main class of ours."""
    home = dsp_kit_path()
    with _alone("dsp-kit"):
        if home.is_dir():
            return home
        maven = shutil.which("mvn")
        if maven is None or shutil.which("java") is None:
            raise NotProvisioned("no dsp-kit: its jars come by Maven, and there is no `mvn` or no `java` on the path")
        unfinished = home.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(DSP_KIT_SOURCES, unfinished)
        command = [maven, "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={unfinished / 'lib'}"]
        try:
            result = subprocess.run(command, cwd=unfinished, capture_output=True, text=True, timeout=GO_BUILD_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise NotProvisioned(f"no dsp-kit: not fetched within {GO_BUILD_TIMEOUT_S} s") from None
        if result.returncode:
            raise NotProvisioned(f"no dsp-kit: `mvn dependency:copy-dependencies` failed: {result.stdout[-1_000:]}")
        unfinished.replace(home)
    return home


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


def python_peers() -> Path:
    """The Python of an environment that has other projects' verifiers from PyPI."""
    wanted = [f"{name}=={version}" for name, version in sorted(PYTHON_PEERS.items())]
    home = cache() / "python-peers" / hashlib.sha256(" ".join(wanted).encode()).hexdigest()[:16]
    python = home / "bin" / "python"
    done = home / "installed"
    with _alone("python-peers"):
        if not done.is_file():
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", home], check=True, timeout=INSTALL_TIMEOUT_S)
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
            result = subprocess.run(install, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
            if result.returncode:
                raise NotProvisioned(f"no python-peers: pip failed: {result.stderr[-1_000:]}")
            done.touch()
    return python


def native_extension_path() -> Path:
    """Where `native_extension` is once it was built. Only by its name, as tmkms; its sources and list of crates are the version."""
    digest = hashlib.sha256(sys.version.encode())
    for path in _native_sources():
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return cache() / "native-extension" / digest.hexdigest()[:16]


def native_extension() -> Path:
    """The folder of `hutong_native`, built of `native/` as a user builds it, by pip."""
    home = native_extension_path()
    with _alone("native-extension"):
        if not home.is_dir():
            if shutil.which("cargo") is None:
                raise NotProvisioned(
                    "no native-extension: it is built of Rust crates, and there is no `cargo` on the path"
                )
            _build_native(_native_sources(), home)
    return home


def _native_sources() -> list[Path]:
    sources = sorted(path for path in NATIVE_SOURCES.rglob("*") if path.suffix in NATIVE_SUFFIXES and path.is_file())
    return [path for path in sources if "target" not in path.relative_to(NATIVE_SOURCES).parts]


NATIVE_SUFFIXES = (".rs", ".toml", ".txt", ".py", ".pyi")


def _build_native(sources: Sequence[Path], home: Path) -> None:
    """Off the checkout, in which a build would leave its lock."""
    work, unfinished = home.with_name("sources"), home.with_name(f"{home.name}.unfinished")
    builder = home.with_name("builder")
    for folder in (work, unfinished):
        shutil.rmtree(folder, ignore_errors=True)
    for path in sources:
        place = work / path.relative_to(NATIVE_SOURCES)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    if not (builder / "bin" / "python").is_file():
        subprocess.run([sys.executable, "-m", "venv", builder], check=True, timeout=INSTALL_TIMEOUT_S)
    install = ["nice", "-n", "15", builder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(home.with_name("target"))}
    result = subprocess.run(
        [*install, "--target", unfinished, work],
        env=environment,
        capture_output=True,
        text=True,
        timeout=CARGO_BUILD_TIMEOUT_S,
    )
    if result.returncode:
        raise NotProvisioned(f"no native-extension: pip failed: {(result.stdout + result.stderr)[-1_000:]}")
    unfinished.replace(home)


def _npm_install(home: Path, packages: Sequence[str]) -> None:
    command = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", *packages]
    subprocess.run(command, cwd=home, check=True, stdout=sys.stderr, timeout=INSTALL_TIMEOUT_S)


def promtool() -> Path:
    """Prometheus' judge of rules, out of Debian's package `prometheus`; the server itself is not installed."""
    found = shutil.which("promtool")
    if found is not None:
        return Path(found)
    return _debian_files("prometheus", ("prometheus",), "promtool") / "usr" / "bin" / "promtool"


def _debian_files(name: str, packages: Sequence[str], what: str) -> Path:
    """A folder of the cache with the files of Debian's packages, none of which is installed."""
    home = cache() / name
    with _alone(name):
        if not (home / "extracted").is_file():
            if shutil.which("apt-get") is None:
                raise NotProvisioned(f"no {what}: install it, or run this on a Debian machine")
            home.mkdir(parents=True, exist_ok=True)
            quiet: dict[str, Any] = {"check": True, "stdout": sys.stderr, "timeout": INSTALL_TIMEOUT_S, "cwd": home}
            subprocess.run(["apt-get", "update"], **quiet)
            subprocess.run(["apt-get", "download", *packages], **quiet)
            for package in home.glob("*.deb"):
                subprocess.run(["dpkg-deb", "--extract", package, home], **quiet)
                package.unlink()
            (home / "extracted").touch()
    return home


def softhsm() -> Path:
    """SoftHSM2's library: the machine's, or out of Debian's packages. `softhsm_util` is beside it."""
    return _softhsm_files() / "lib" / "softhsm" / "libsofthsm2.so"


def softhsm_util() -> Path:
    """SoftHSM2's tool, which wants `--module` with the library of `softhsm`."""
    return _softhsm_files() / "bin" / "softhsm2-util"


def _softhsm_files() -> Path:
    system = Path("/usr")
    if (system / "lib" / "softhsm" / "libsofthsm2.so").is_file() and (system / "bin" / "softhsm2-util").is_file():
        return system
    return _debian_files("softhsm", ("softhsm2", "libsofthsm2", "softhsm2-common"), "softhsm") / "usr"


PKCS11_TOOL_WRAPPER = """#!/bin/sh
LD_LIBRARY_PATH="{libraries}" exec "{program}" "$@"
"""


def pkcs11_tool() -> Path:
    """OpenSC's tool for any token: the machine's, or out of Debian's packages behind a shell script."""
    found = shutil.which("pkcs11-tool")
    if found is not None:
        return Path(found)
    home = _debian_files("opensc", ("opensc", "opensc-pkcs11", "libpcsclite1"), "pkcs11-tool")
    wrapper = home / "pkcs11-tool"
    libraries = sorted(str(path.parent) for path in home.glob("usr/lib/*/libopensc.so*"))
    wrapper.write_text(PKCS11_TOOL_WRAPPER.format(libraries=libraries[0], program=home / "usr" / "bin" / "pkcs11-tool"))
    wrapper.chmod(0o755)
    return wrapper


KRYOPTIC_MANIFEST = """[package]
name = "provisioned"
version = "0.0.0"
edition = "2021"

[lib]
path = "empty.rs"

[dependencies]
kryoptic = {{ version = "={version}", default-features = false, features = ["minimal"] }}
kryoptic-lib = {{ version = "={version}", default-features = false, features = ["minimal", "dynamic"] }}
"""


def kryoptic_path() -> Path:
    """Where `kryoptic` is once it was built. Only by its name, as tmkms."""
    return cache() / "kryoptic" / KRYOPTIC_VERSION / "libkryoptic_pkcs11.so"


def kryoptic() -> Path:
    """The library of a token in Rust that locks after ten wrong PINs, built from its crate over the machine's OpenSSL."""
    library = kryoptic_path()
    if library.is_file():
        return library
    if shutil.which("cargo") is None:
        raise NotProvisioned("no kryoptic: it is built from its crate, and there is no `cargo` on the path")
    clang = _libclang()
    with _alone("kryoptic"):
        if not library.is_file():
            _build_kryoptic(library, clang)
    return library


def _build_kryoptic(library: Path, clang: Path) -> None:
    home = library.parent
    home.mkdir(parents=True, exist_ok=True)
    (home / "Cargo.toml").write_text(KRYOPTIC_MANIFEST.format(version=KRYOPTIC_VERSION))
    (home / "empty.rs").touch()
    headers = " ".join(f"-I{folder}" for folder in clang.glob("clang/*/include"))
    environment = {**os.environ, "LIBCLANG_PATH": str(clang), "BINDGEN_EXTRA_CLANG_ARGS": headers}
    command = ["cargo", "build", "--quiet", "--release", "--package", "kryoptic"]
    result = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=CARGO_BUILD_TIMEOUT_S
    )
    if result.returncode:
        raise NotProvisioned(f"no kryoptic: cargo failed: {result.stderr[-1_000:]}")
    built = home / "target" / "release" / library.name
    shutil.copy(built, home / "unfinished.so")
    (home / "unfinished.so").replace(library)
    shutil.rmtree(home / "target")


def _libclang() -> Path:
    """The folder of libclang, which reads OpenSSL's headers for kryoptic's build."""
    found = _clangs(Path("/usr/lib"))
    if not found:
        home = _debian_files("clang", ("libclang1-14", "libclang-common-14-dev"), "libclang")
        found = _clangs(home / "usr" / "lib")
    if not found:
        raise NotProvisioned("no kryoptic: there is no libclang with its headers")
    return found[-1]


def _clangs(libraries: Path) -> list[Path]:
    """Folders that have the library, not that of C++ alone, and its headers."""
    return [
        folder
        for folder in sorted(libraries.glob("llvm-*/lib"))
        if list(folder.glob("libclang.so*")) and list(folder.glob("clang/*/include/stddef.h"))
    ]


def main(names: Sequence[str]) -> int:
    """Install and print; a program that is not to be had is one sentence, and the others are still installed."""
    programs = {
        **{tool: lambda tool=tool: foundry(tool) for tool in TOOLS},
        "solc": solc,
        "postgres": lambda: postgres("postgres"),
        "promtool": promtool,
        "softhsm": softhsm,
        "pkcs11-tool": pkcs11_tool,
        "kryoptic": kryoptic,
        "cometbft": cometbft,
        "priv-val-server": priv_val_server,
        "tmkms": tmkms,
        "versitygw": versitygw,
        "seaweedfs": seaweedfs,
        "btcd": btcd,
        "geth": geth_clique,
        "goquorum": goquorum,
        "simd": simd,
        "simd11": simd11,
        "tlog-peer": tlog_peer,
        "dsp-kit": dsp_kit,
        "chromium": chromium,
        "axe": axe,
        "javascript-peers": javascript_peers,
        "python-peers": python_peers,
        "native-extension": native_extension,
    }
    if not os.environ.get(GOQUORUM_VARIABLE) and not names:
        del programs["goquorum"]
    if not names:
        for slow in ("tmkms", "kryoptic", "seaweedfs", "native-extension", "dsp-kit"):
            del programs[slow]
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
