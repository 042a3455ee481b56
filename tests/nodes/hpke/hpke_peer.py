"""Another author's HPKE: @hpke of npm, with X-Wing as its hybrid, in one Node process."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hutong.light_clients.crypto.hpke import PrivateKey, PublicKey, Sealed, Suite
from tests.nodes.provision import javascript_peers

SCRIPT = Path(__file__).with_suffix(".mjs")


class PeerRefused(Exception):
    """The peer's error, by name and words."""


class HpkePeer:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def seal(self, suite: Suite, reader: PublicKey, plaintext: bytes, info: bytes, aad: bytes) -> Sealed:
        """Raises PeerRefused."""
        got = self._ask("seal", suite, key=reader.encoded, info=info, aad=aad, data=plaintext)
        return Sealed(bytes.fromhex(got["enc"]), bytes.fromhex(got["data"]))

    def open(self, suite: Suite, key: PrivateKey, message: Sealed, info: bytes, aad: bytes) -> bytes:
        """Raises PeerRefused."""
        got = self._ask("open", suite, key=key.secret, info=info, aad=aad, enc=message.enc, data=message.ciphertext)
        return bytes.fromhex(got["data"])

    def _ask(self, act: str, suite: Suite, **fields: bytes) -> dict[str, Any]:
        question = {"act": act, "kem": suite.kem.value, "aead": suite.aead.value}
        question |= {name: value.hex() for name, value in fields.items()}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"node ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerRefused(answer["error"])
        return answer


@contextmanager
def running_hpke_peer() -> Iterator[HpkePeer]:
    """Node looks for packages beside its script, which is therefore copied to them."""
    script = javascript_peers() / SCRIPT.name
    shutil.copyfile(SCRIPT, script)
    with subprocess.Popen(["node", str(script)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield HpkePeer(process)
        finally:
            process.kill()
