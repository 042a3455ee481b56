"""`hutong identity serve` with an issuer and a verifier, behind HTTPS on the loopback address, at the time that it is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from hutong.relay.web.api_keys import Scope, add_key
from tests.nodes.identity.loopback_tls import LoopbackTls
from tests.nodes.identity.polaris_verifier import line_of
from tests.relay.services.identity.certificates import AUTHORITY, AUTHORITY_KEY, certify, key_of, pem, private_pem

VCT = "https://id.example/types/residence"
CLAIMS = {"given_name": "Erika", "district": "Ost", "age_over_18": True}
QUERY = {
    "credentials": [
        {"id": "residence", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": [{"path": ["given_name"]}]}
    ]
}
CONFIG = """
[server]
home = "state"
listen = "127.0.0.1:{port}"
public_url = "https://127.0.0.1:{port}"
keys_file = "api-keys.json"
tls_certificate = "{tls.certificate}"
tls_key = "{tls.key}"
tls_authorities = "{tls.authority}"
rate_limit_per_s = 10000
log_level = "warning"

[issuer]
name = "City"
key = "issuer.pem"
certificates = "issuer-chain.pem"
requires_dpop = {dpop}

[[issuer.credentials]]
id = "residence"
vct = "{vct}"
name = "Certificate of residence"
claims = [
  {{ name = "given_name", mandatory = true }}, {{ name = "district", hidden = false }}, {{ name = "age_over_18" }},
]

[verifier]
key = "verifier.pem"
certificates = "verifier-chain.pem"

[verifier.policies.residence]
title = "Residence"
query = "query.json"
anchors = "authority.pem"
max_status_age_s = 60
"""


@dataclass(frozen=True, slots=True)
class OurDaemon:
    """`desk` has a key of scopes `issue` and `verify`."""

    url: str
    desk: httpx.Client
    pid: int

    def offer(self, *, transaction_code: bool = False, reference: str = "case-1") -> tuple[str, str | None]:
        """Link and transaction code of a new offer."""
        wish = {"type": "residence", "claims": CLAIMS, "transaction_code": transaction_code, "reference": reference}
        made = self._post("/v1/issuer/offers", wish)
        return made["link"], made["transaction_code"]

    def revoke(self, reference: str) -> int:
        """How many credentials ended."""
        return self._post("/v1/issuer/revocations", {"reference": reference})["revoked"]

    def ask(self) -> tuple[str, str]:
        """Id and link of a new request."""
        asked = self._post("/v1/verifier/requests", {"policy": "residence"})
        return asked["id"], asked["link"]

    def result(self, request_id: str) -> dict[str, Any]:
        """What came of it."""
        answer = self.desk.get(f"/v1/verifier/requests/{request_id}")
        answer.raise_for_status()
        return answer.json()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.desk.post(path, json=body)
        if not answer.is_success:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
        return answer.json()


def write_files(folder: Path, tls: LoopbackTls, port: int, *, requires_dpop: bool) -> Path:
    url = f"https://127.0.0.1:{port}"
    for name, secret, named in (("issuer", 0xA11CE, {"uri": url}), ("verifier", 0x7E21F, {"host": "127.0.0.1"})):
        key = key_of(secret)
        (folder / f"{name}.pem").write_bytes(private_pem(key))
        (folder / f"{name}.pem").chmod(0o600)
        chain = certify(name, key.public_key(), by="authority", key=AUTHORITY_KEY, **named)
        (folder / f"{name}-chain.pem").write_bytes(pem(chain))
    (folder / "authority.pem").write_bytes(pem(AUTHORITY))
    (folder / "query.json").write_text(json.dumps(QUERY))
    file = folder / "identity.toml"
    file.write_text(CONFIG.format(port=port, tls=tls, vct=VCT, dpop=str(requires_dpop).lower()))
    return file


@contextmanager
def running_daemon(folder: Path, tls: LoopbackTls, port: int, *, requires_dpop: bool = True) -> Iterator[OurDaemon]:
    folder.mkdir(exist_ok=True)
    file = write_files(folder, tls, port, requires_dpop=requires_dpop)
    key = add_key(folder / "api-keys.json", "desk", [Scope.ISSUE, Scope.VERIFY])
    command = [sys.executable, "-m", "hutong", "identity", "serve", "--config", str(file)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, env=environment) as process:
        try:
            ready = line_of(process)
            if "ready at" not in ready:
                raise RuntimeError(ready)
            url = f"https://127.0.0.1:{port}"
            headers = {"authorization": f"Bearer {key}"}
            with httpx.Client(base_url=url, verify=str(tls.authority), headers=headers, timeout=60) as desk:
                yield OurDaemon(url, desk, process.pid)
        finally:
            process.terminate()
            process.wait(60)
