"""An issuer on a hub, by the commands of docs/identity/organisations.md, and its status list of 2^20 entries."""

import json
import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random

import trio

from bench.direct_lane import BenchFailed, Rpc, command
from hutong.light_clients.crypto import eth_address, secp256k1, sha256
from hutong.relay.administration.configured import hub_of
from hutong.relay.administration.identity.key_files import key_of_account
from hutong.relay.administration.identity.writing import call_identity
from hutong.relay.config import load_config
from hutong.relay.hub.application.identity import interface
from hutong.relay.local.keys import Key, make_key
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.seals import (
    Claim,
    Seal,
    SealedCredential,
    claims_root,
    seal_digest,
    sign_account,
)
from hutong.relay.services.identity.rules.status.chunk_tree import ChunkProof, TreeShape, layers_of, prove_chunk
from hutong.relay.services.identity.rules.status.chunk_update import changed_chunks, encode_update, prove_update

SCHEMA = sha256(b"bench licence")
SHAPE = TreeShape(1, 2**20)
FAR_S = 2**33
Layers = tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, slots=True)
class Revocation:
    """The hub's block with it: its height, and the time of its header; `sent_s`: when the issuer began to send it. Unix seconds."""

    index: int
    height: int
    time_s: float
    sent_s: float


@dataclass(frozen=True, slots=True)
class Credential:
    """A seal with the key of its holder."""

    sealed: SealedCredential
    holder: bytes


@dataclass
class Issuer:
    """Root → issuer. `versions` are the list's trees by root, in the order of the hub's records."""

    config: Path
    did: str
    writer: Key
    sealer: Key
    random: Random
    octets: bytearray = field(default_factory=lambda: bytearray(SHAPE.chunks * 32))
    versions: dict[bytes, Layers] = field(default_factory=dict)
    _used: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._secret = bytes(self.sealer.account().key)
        self._print = thumbprint(key_of_account(secp256k1.public_key_of(self._secret)))
        self._signer = self.writer.signer()
        self._keep()

    @property
    def id(self) -> bytes:
        """32 bytes."""
        return bytes.fromhex(self.did.rpartition(":")[2])

    def credential(self) -> Credential:
        """A new one, at an index that is drawn at random."""
        index = self.random.randrange(SHAPE.size)
        while index in self._used:
            index = self.random.randrange(SHAPE.size)
        self._used.add(index)
        holder = sha256(b"bench holder %d" % index)
        claims = (Claim("licence", True, sha256(b"salt %d" % index)),)
        account = eth_address(secp256k1.public_key_of(holder))
        if account is None:
            raise BenchFailed("a hash that is no secret key")
        seal = Seal(SCHEMA, self.id, 0, index, FAR_S, account, claims_root(claims))
        signature = sign_account(self._secret, seal_digest(seal))
        return Credential(SealedCredential(seal, self._print, signature, claims), holder)

    def status(self, root: bytes, index: int) -> ChunkProof:
        """Of a version of the list."""
        return prove_chunk(self.versions[root], SHAPE.chunk_of(index))

    def revoke(self, index: int) -> Revocation:
        """Returns when a header of the hub can prove it."""
        after = bytearray(self.octets)
        after[index // 8] |= 1 << index % 8
        update = prove_update(SHAPE, bytes(self.octets), changed_chunks(bytes(self.octets), bytes(after)))
        self.octets = after
        self._keep()  # before the hub has it: whoever presents may need it at once
        hub = hub_of(load_config(self.config), None)
        writer = (self.id, thumbprint(key_of_account(self._signer.public_key)))
        data = interface.UPDATE_LIST.call(writer, 0, encode_update(update), bytes(32))
        sent_s = time.time()
        receipt = trio.run(call_identity, hub, self._signer, data, self.random)
        return Revocation(index, receipt.height, header_time_s(hub.consensus_rpc[0], receipt.height), sent_s)

    def _keep(self) -> None:
        layers = layers_of(SHAPE, bytes(self.octets))
        self.versions[layers[-1][0]] = layers


def header_time_s(consensus_url: str, height: int) -> float:
    """Of a header of the hub, by its CometBFT RPC."""
    answer = Rpc(consensus_url).named("block", {"height": str(height)})
    return datetime.fromisoformat(answer["block"]["header"]["time"]).timestamp()


def accredited_issuer(home: Path, config: Path, admin: Key, random: Random) -> Issuer:
    """Registered, accredited by a root, with list 0 open."""
    root, issuer = _Member(home, config, "root"), _Member(home, config, "issuer")
    terms = ["--schema", SCHEMA.hex(), "--config", str(config)]
    admins = ["--hub-admin", str(admin.keystore), "--hub-admin-password-file", str(admin.password_file)]
    command(["hub", "accredit-root", root.did, "--depth", "1", *terms, *admins])
    command(["identity", "register", *root.registration, "--accredited", SCHEMA.hex()])
    command(["identity", "accredit", root.did, issuer.did, *terms, *root.controller.options])
    command(["identity", "register", *issuer.registration, "--accredited", SCHEMA.hex()])
    opened = ["--key", str(issuer.seal_jwk), "--schema", SCHEMA.hex(), "--size", str(SHAPE.size)]
    account = ["--config", str(config), *issuer.writer.options]
    command(["identity", "list", "open", issuer.did, *opened, *account])
    return Issuer(config, issuer.did, issuer.writer, issuer.sealer, random)


class _Member:
    """Keys of an organisation, and the DID that they will have."""

    def __init__(self, home: Path, config: Path, name: str) -> None:
        self.controller, self.writer, self.sealer = (
            make_key(home, f"{name}-{role}") for role in ("controller", "log", "seal")
        )
        self.log_jwk, self.seal_jwk = home / f"{name}-log.jwk.json", home / f"{name}-seal.jwk.json"
        for file, key in ((self.log_jwk, self.writer), (self.seal_jwk, self.sealer)):
            file.write_text(command(["identity", "jwk", *key.options]))
        keys = ["--key", f"log={self.log_jwk}", "--key", f"contract={self.seal_jwk}"]
        account = ["--config", str(config), *self.controller.options]
        self.registration = [*keys, "--salt", os.urandom(32).hex(), *account]
        shown = command(["identity", "register", *self.registration, "--show", "--json"])
        self.did = str(json.loads(shown)["did"])
