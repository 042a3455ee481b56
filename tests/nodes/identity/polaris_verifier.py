"""polaris-oid4vp's verifier, an OpenID-certified one, in a process of its own behind its own HTTPS server."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.nodes.identity.loopback_tls import LoopbackTls
from tests.nodes.provision import python_peers
from tests.relay.services.identity.certificates import AUTHORITY, AUTHORITY_KEY, certify, key_of, pem, private_pem

SCRIPT = Path(__file__).with_name("polaris_verifier_script.py")


class PolarisVerifier:
    """Asks for one thing, again and again."""

    def __init__(self, process: "subprocess.Popen[str]", base: str) -> None:
        self._process = process
        self.base = base

    def link(self) -> str:
        """Of a new request."""
        return self._say("request")

    def verdicts(self) -> list[tuple[int, bool]]:
        """HTTP status of each answer, and whether it was authentic, since the last time."""
        return [tuple(each) for each in json.loads(self._say("verdicts"))]

    def _say(self, word: str) -> str:
        if self._process.stdin is None:
            raise RuntimeError("the process was started with pipes")
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        return line_of(self._process)


def line_of(process: "subprocess.Popen[str]") -> str:
    """The next line of its output."""
    if process.stdout is None:
        raise RuntimeError("the process was started with pipes")
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the process ended with {process.wait()}")
    return line.strip()


@contextmanager
def running_polaris(folder: Path, tls: LoopbackTls, **asks: Any) -> Iterator[PolarisVerifier]:
    """`asks`: vct_values, claims. Its certificate, and those of issuers, are under the authority of `certificates`."""
    key = key_of(0x901A215)
    (folder / "polaris.key").write_bytes(private_pem(key))
    leaf = certify("polaris", key.public_key(), by="authority", key=AUTHORITY_KEY, host="127.0.0.1")
    (folder / "polaris.pem").write_bytes(pem(leaf))
    (folder / "polaris-anchor.pem").write_bytes(pem(AUTHORITY))
    settings: Mapping[str, Any] = {
        "anchor": str(folder / "polaris-anchor.pem"),
        "certificate": str(folder / "polaris.pem"),
        "key": str(folder / "polaris.key"),
        "tls_certificate": str(tls.certificate),
        "tls_key": str(tls.key),
        **asks,
    }
    with subprocess.Popen(
        [str(python_peers()), str(SCRIPT)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            if process.stdin is None:
                raise RuntimeError("the process was started with pipes")
            process.stdin.write(json.dumps(settings) + "\n")
            process.stdin.flush()
            yield PolarisVerifier(process, line_of(process))
        finally:
            process.kill()
