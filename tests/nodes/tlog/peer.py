"""The Go peer of `tests/nodes/tlog_peer`, which makes logs and reads notes."""

import json
import subprocess
from base64 import b64encode
from typing import Any

from tests.nodes.provision import tlog_peer

TIMEOUT_S = 300


def asked(command: str, **request: Any) -> Any:
    """What the program answers to a request; bytes in it are written in base64."""
    document = json.dumps(request, default=lambda value: b64encode(value).decode())
    done = subprocess.run(
        [str(tlog_peer()), command], input=document, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
