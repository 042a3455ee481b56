"""openvc-core on every side that it has: an issuer and a verifier over HTTPS, and a wallet; each in a process of its own."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hutong.relay.local.ports import free_port
from tests.nodes.identity.loopback_tls import LoopbackTls
from tests.nodes.identity.openid4vc_wallet import ForeignWallet
from tests.nodes.identity.polaris_verifier import line_of
from tests.nodes.provision import python_peers
from tests.relay.services.identity.certificates import AUTHORITY, AUTHORITY_KEY, certify, key_of, pem, private_pem

SERVER = Path(__file__).with_name("openvc_server_script.py")
WALLET = Path(__file__).with_name("openvc_wallet_script.py")


class OpenvcServer:
    """Offers, asks and judges, again and again."""

    def __init__(self, process: "subprocess.Popen[str]", base: str) -> None:
        self._process = process
        self.base = base

    def offer(self) -> tuple[str, str]:
        """Link and transaction code of a new offer."""
        made = self._say("offer")
        return made["link"], made["code"]

    def link(self) -> str:
        """Of a new request."""
        made: str = self._say("request")
        return made

    def verdicts(self) -> list[str]:
        """`accepted`, or what was wrong, of each answer since the last time."""
        found: list[str] = self._say("verdicts")
        return found

    def _say(self, word: str) -> Any:
        _write(self._process, word)
        return json.loads(line_of(self._process))


def _write(process: "subprocess.Popen[str]", line: str) -> None:
    if process.stdin is None:
        raise RuntimeError("the process was started with pipes")
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


@contextmanager
def running_openvc(folder: Path, tls: LoopbackTls, **said: Any) -> Iterator[OpenvcServer]:
    """`said`: vct, claims, asks, batch. Its certificate, and those of issuers, are under the authority of `certificates`."""
    port = free_port()
    base = f"https://127.0.0.1:{port}"
    key = key_of(0x09E27C)
    (folder / "openvc.key").write_bytes(private_pem(key))
    leaf = certify("openvc", key.public_key(), by="authority", key=AUTHORITY_KEY, uri=base, host="127.0.0.1")
    (folder / "openvc.pem").write_bytes(pem(leaf))
    settings: Mapping[str, Any] = {
        "base": base,
        "port": port,
        "certificate": str(folder / "openvc.pem"),
        "key": str(folder / "openvc.key"),
        "tls_certificate": str(tls.certificate),
        "tls_key": str(tls.key),
        **_trust(folder, tls),
        **said,
    }
    with _running(SERVER, settings) as process:
        yield OpenvcServer(process, line_of(process))


@contextmanager
def openvc_wallet(folder: Path, tls: LoopbackTls) -> Iterator[ForeignWallet]:
    with _running(WALLET, _trust(folder, tls)) as process:
        yield ForeignWallet(process)


def _trust(folder: Path, tls: LoopbackTls) -> dict[str, str]:
    (folder / "openvc-anchor.pem").write_bytes(pem(AUTHORITY))
    return {"anchor": str(folder / "openvc-anchor.pem"), "tls_authority": str(tls.authority)}


@contextmanager
def _running(script: Path, settings: Mapping[str, Any]) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [str(python_peers()), str(script)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            _write(process, json.dumps(settings))
            yield process
        finally:
            process.kill()
