"""Credential seals as an issuer makes them and a holder presents them, by any author's reading of docs/spec/identity-seal.md."""

import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from web3 import Web3

from hutong.relay.cases.organisation import LIST, Organisation

BOOLEAN, INTEGER, TEXT = 1, 2, 3
SEAL_DOMAIN = {"name": "hutong credential seal", "version": "1"}
SEAL = {
    "CredentialSeal": [
        {"name": "schema", "type": "bytes32"},
        {"name": "issuer", "type": "bytes32"},
        {"name": "list", "type": "uint64"},
        {"name": "index", "type": "uint64"},
        {"name": "notAfter", "type": "uint64"},
        {"name": "holder", "type": "address"},
        {"name": "claimsRoot", "type": "bytes32"},
    ]
}
PRESENTATION = {
    "SealPresentation": [
        {"name": "caller", "type": "address"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint64"},
        {"name": "seal", "type": "bytes32"},
        {"name": "call", "type": "bytes32"},
    ]
}
Claim = bool | int | str
Disclosure = tuple[bytes, bytes, int, bytes, list[bytes]]


def claim_bytes(value: Claim) -> tuple[int, bytes]:
    """Kind and bytes of a value."""
    if isinstance(value, str):
        return TEXT, value.encode()
    return (BOOLEAN if isinstance(value, bool) else INTEGER), int(value).to_bytes(32, "big", signed=True)


def signed(
    account: LocalAccount, domain: dict[str, Any], types: dict[str, Any], said: dict[str, Any]
) -> tuple[bytes, bytes]:
    """The EIP-712 digest of what is said, and an account's signature over it."""
    done = account.sign_message(encode_typed_data(domain, types, said))
    return bytes(done.message_hash), bytes(done.signature)


@dataclass(frozen=True)
class SealedCredential:
    """As its wallet has it: the seal, its issuer's signature, every claim with its salt, and the one key that it is for."""

    said: Mapping[str, Any]
    digest: bytes
    signature: bytes
    claims: Mapping[str, Claim]
    salts: Mapping[str, bytes]
    holder: LocalAccount

    @property
    def members(self) -> tuple[Any, ...]:
        """The struct `CredentialSeal`, as ABI takes it."""
        return tuple(self.said[one["name"]] for one in SEAL["CredentialSeal"])

    def leaf(self, name: str) -> bytes:
        """Of a claim."""
        kind, data = claim_bytes(self.claims[name])
        return bytes(Web3.keccak(b"\0" + self.salts[name] + Web3.keccak(text=name) + bytes([kind]) + data))

    def disclose(self, *names: str) -> list[Disclosure]:
        """Claims of these names, as ABI takes them; of the others nothing is shown but that there are some."""
        layers = layers_of([self.leaf(name) for name in self.claims])
        return [self._disclosed(name, path_of(layers, self.leaf(name))) for name in names]

    def _disclosed(self, name: str, path: list[bytes]) -> Disclosure:
        return self.salts[name], bytes(Web3.keccak(text=name)), *claim_bytes(self.claims[name]), path

    def present(self, gate: str, chain_id: int, said: Mapping[str, Any]) -> bytes:
        """The holder's signature over a presentation; `said` are its members but the seal."""
        domain = {"name": "hutong seal presentation", "version": "1", "chainId": chain_id, "verifyingContract": gate}
        return signed(self.holder, domain, PRESENTATION, {**said, "seal": self.digest})[1]


def layers_of(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The tree over claims, from ascending leaves up."""
    layers = [sorted(leaves)]
    while len(layers[-1]) > 1:
        below = layers[-1]
        above = [bytes(Web3.keccak(b"".join(sorted(below[at : at + 2])))) for at in range(0, len(below) - 1, 2)]
        layers.append(above + below[len(below) - len(below) % 2 :])
    return layers


def path_of(layers: Sequence[Sequence[bytes]], leaf: bytes) -> list[bytes]:
    """Siblings of a leaf up to the root, lowest first."""
    place = layers[0].index(leaf)
    path: list[bytes] = []
    for layer in layers[:-1]:
        path += layer[place ^ 1 : (place ^ 1) + 1]
        place //= 2
    return path


def issue(
    issuer: Organisation,
    schema: bytes,
    index: int,
    claims: Mapping[str, Claim],
    not_after_s: int,
    holder: LocalAccount | None = None,
) -> SealedCredential:
    """A credential for a new key of its holder's, or for a known one where the contract is to know who it is."""
    owner = holder or Account.from_key(os.urandom(32))
    salts = {name: os.urandom(32) for name in claims}
    unsigned = SealedCredential({}, b"", b"", claims, salts, owner)
    root = layers_of([unsigned.leaf(name) for name in claims])[-1][0]
    said = {"schema": schema, "issuer": issuer.id, "list": LIST, "index": index, "notAfter": not_after_s}
    said |= {"holder": owner.address, "claimsRoot": root}
    digest, signature = signed(issuer.signer, SEAL_DOMAIN, SEAL, said)
    return SealedCredential(said, digest, signature, claims, salts, owner)


def call_hash(selector: bytes, types: Sequence[str], arguments: Sequence[Any]) -> bytes:
    """What a presentation says of the call: its selector, and its arguments after the acceptance."""
    return bytes(Web3.keccak(selector + encode(types, arguments)))


@dataclass(frozen=True)
class Presented:
    """A credential presented once to a contract, for one call of one caller."""

    credential: SealedCredential
    shown: tuple[str, ...]
    gate: str
    chain_id: int
    said: Mapping[str, Any]
    """Members of the presentation but the seal."""
    chunk: bytes
    siblings: Sequence[bytes]

    @property
    def signature(self) -> bytes:
        """The holder's."""
        return self.credential.present(self.gate, self.chain_id, self.said)

    def fields(self) -> dict[str, Any]:
        """As a statement of evidence says it (docs/spec/case-evidence.md)."""
        seal, said = self.credential.said, self.said
        return {
            "seal": {
                "schema": text(seal["schema"]),
                "issuer": text(seal["issuer"]),
                "list": seal["list"],
                "index": seal["index"],
                "not_after_s": seal["notAfter"],
                "holder": text(bytes.fromhex(seal["holder"][2:])),
                "claims_root": text(seal["claimsRoot"]),
            },
            "signature": text(self.credential.signature),
            "claims": [
                {
                    "name": name,
                    "kind": kind,
                    "value": text(data),
                    "salt": text(salt),
                    "path": [text(one) for one in path],
                }
                for name, (salt, _, kind, data, path) in zip(
                    self.shown, self.credential.disclose(*self.shown), strict=True
                )
            ],
            "chunk": text(self.chunk),
            "siblings": [text(one) for one in self.siblings],
            "presentation": {
                "chain_id": self.chain_id,
                "gate": text(bytes.fromhex(self.gate[2:])),
                "caller": text(bytes.fromhex(said["caller"][2:])),
                "nonce": str(said["nonce"]),
                "deadline_s": said["deadline"],
                "call": text(said["call"]),
                "signature": text(self.signature),
            },
        }


def text(data: bytes) -> str:
    """Bytes as evidence has them."""
    return b64encode(data).decode()
