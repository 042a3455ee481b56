"""Verifiers of others: polaris-oid4vp, openvc-core and sd-jwt in a Python of their own, @sd-jwt of npm in a Node process."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.nodes.provision import javascript_peers, python_peers

SCRIPT = Path(__file__).with_name("credential_verifiers_script.py")
NODE_SCRIPT = Path(__file__).with_name("sd_jwt_verifier.mjs")


class CredentialVerifiers:
    """Answers come back in the order of the questions."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, **question: Any) -> dict[str, Any]:
        """By verifier: None where it accepts, else what it says."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process was started with pipes")
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the verifiers ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def running_verifiers() -> Iterator[CredentialVerifiers]:
    """Those from PyPI."""
    with _running([str(python_peers()), str(SCRIPT)]) as verifiers:
        yield verifiers


@contextmanager
def running_javascript_verifier() -> Iterator[CredentialVerifiers]:
    """@sd-jwt twice: as its `verify` judges, and as a caller does who adds what it leaves to callers."""
    script = javascript_peers() / NODE_SCRIPT.name
    shutil.copyfile(NODE_SCRIPT, script)  # node looks for packages beside the script
    with _running(["node", str(script)]) as verifiers:
        yield verifiers


@contextmanager
def _running(command: Sequence[str]) -> Iterator[CredentialVerifiers]:
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield CredentialVerifiers(process)
        finally:
            process.kill()
