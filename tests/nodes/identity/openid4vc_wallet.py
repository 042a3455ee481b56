"""Wallets of others in a Node process: `openid4vc`, made of Credo's protocol libraries, and `oid4-client` of Digital Bazaar."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.nodes.identity.loopback_tls import LoopbackTls
from tests.nodes.identity.polaris_verifier import line_of
from tests.nodes.provision import javascript_peers


class ForeignWallet:
    """Answers come back in the order of the questions."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, do: str, **question: Any) -> dict[str, Any]:
        """What it did, with `ms` for how long it took.

        Raises:
            RuntimeError: what it could not do, in its words.
        """
        if self._process.stdin is None:
            raise RuntimeError("the process was started with pipes")
        self._process.stdin.write(json.dumps({"do": do, **question}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(line_of(self._process))
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer


@contextmanager
def foreign_wallet(name: str, tls: LoopbackTls) -> Iterator[ForeignWallet]:
    """`name`: of a script beside this one. It runs from where its libraries are found."""
    script = javascript_peers() / f"{name}.mjs"
    shutil.copy(Path(__file__).with_name(f"{name}.mjs"), script)
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(tls.authority)}
    with subprocess.Popen(
        ["node", str(script)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        try:
            yield ForeignWallet(process)
        finally:
            process.kill()
