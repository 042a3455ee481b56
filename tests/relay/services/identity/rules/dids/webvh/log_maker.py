"""Makes logs of did:webvh, honest ones and, by the hooks, those of a forger who rebuilds what keys do not protect."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hutong.light_clients.crypto import ed25519, sha256
from hutong.relay.services.identity.rules.dids.base58 import encode_base58
from hutong.relay.services.identity.rules.dids.syntax import parse_did
from hutong.relay.services.identity.rules.dids.webvh.hashes import multihash_of
from hutong.relay.services.identity.rules.dids.webvh.identifier import WebvhDid, parse_webvh_did
from hutong.relay.services.identity.rules.jcs import canonical_json

NOW_S = 1_700_000_000
PLACE = "example.com"
Change = Callable[[dict[str, Any]], None]


def nothing(_: dict[str, Any]) -> None:
    """No change."""


def seed(number: int) -> bytes:
    return bytes(31) + bytes([number])


def multikey(number: int) -> str:
    return "z" + encode_base58(b"\xed\x01" + ed25519.public_key_of(seed(number)))


def key_hash(number: int) -> str:
    return multihash_of(multikey(number).encode())


def sign(secured: dict[str, Any], number: int, change: Change = nothing) -> dict[str, Any]:
    """A proof by key `number`; `change` alters its options before they are signed."""
    key = multikey(number)
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": f"did:key:{key}#{key}",
        "created": "2020-01-01T00:00:00Z",
        "proofPurpose": "assertionMethod",
    }
    change(options)
    message = sha256(canonical_json(options)) + sha256(canonical_json(secured))
    return {**options, "proofValue": "z" + encode_base58(ed25519.sign(seed(number), message))}


class LogMaker:
    """Key 1 makes the DID. Each entry is a day after the one before it, from 2020-01-01 on."""

    def __init__(self, place: str = PLACE, change: Change = nothing, **parameters: Any) -> None:
        """`change` alters the first entry before it is hashed; `parameters` are added to it."""
        entry = {
            "versionId": "{SCID}",
            "versionTime": "2020-01-01T00:00:00Z",
            "parameters": {"method": "did:webvh:1.0", "scid": "{SCID}", "updateKeys": [multikey(1)], **parameters},
            "state": {"@context": ["https://www.w3.org/ns/did/v1"], "id": f"did:webvh:{{SCID}}:{place}"},
        }
        change(entry)
        self.scid = multihash_of(canonical_json(entry))
        self.place = place
        self.entries: list[dict[str, Any]] = []
        self.append(json.loads(json.dumps(entry).replace("{SCID}", self.scid)), 1, nothing)

    @property
    def did(self) -> WebvhDid:
        return parse_webvh_did(parse_did(f"did:webvh:{self.scid}:{self.place}"))

    @property
    def bytes(self) -> bytes:
        return b"".join(json.dumps(entry).encode() + b"\n" for entry in self.entries)

    def update(
        self,
        signer: int = 1,
        change: Change = nothing,
        proof: Change = nothing,
        **parameters: Any,
    ) -> "LogMaker":
        """One more entry; `change` alters it before it is hashed and signed, `proof` the options of its proof."""
        last = self.entries[-1]
        entry = {
            "versionId": last["versionId"],
            "versionTime": f"2020-01-{len(self.entries) + 1:02}T00:00:00Z",
            "parameters": parameters,
            "state": deepcopy(last["state"]),
        }
        change(entry)
        self.append(entry, signer, proof)
        return self

    def witnessed(self, *approvals: tuple[int, int]) -> "bytes":
        """A file of proofs: pairs of a witness's key and the number of the version that it approves."""
        listed = [(self.entries[version - 1]["versionId"], witness) for witness, version in approvals]
        return json.dumps(
            [{"versionId": version, "proof": [sign({"versionId": version}, key)]} for version, key in listed]
        ).encode()

    def append(self, entry: dict[str, Any], signer: int, proof: Change) -> None:
        number = len(self.entries) + 1
        before = self.scid if number == 1 else self.entries[-1]["versionId"]
        entry["versionId"] = f"{number}-{multihash_of(canonical_json({**entry, 'versionId': before}))}"
        self.entries.append({**entry, "proof": [sign(entry, signer, proof)]})
