"""An issuer on a hub, a cache on a chain, and a holder who presents: the commands of docs/identity/contracts.md, and the SDK."""

import json
import time
from hashlib import sha256

import httpx
from eth_account import Account
from eth_utils.address import to_checksum_address
from typer.testing import CliRunner

from hutong.relay.cli.main import app
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.seals import (
    Claim,
    Seal,
    SealedCredential,
    claims_root,
    encode_seal_file,
    seal_digest,
    sign_account,
)
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape
from hutong.relay.services.identity.rules.status.chunk_update import encode_update, prove_update
from hutong.sdk.identity_gate import Gate, acceptance, read_seal_file, status_proof
from tests.relay.cli.chains.hub_and_chain import CHAIN, HUB_EVM
from tests.relay.hub.application.identity.organisations import public_key

SCHEMA = "44" * 32
HOLDER = Account.from_key(sha256(b"holder").digest())
SHAPE = TreeShape(1, 1_024)
INDEX, MAX_AGE_S = 700, 86_400
CLAIMS = (Claim("age_over_18", True, b"\x01" * 32), Claim("name", "Li", b"\x02" * 32))


class Issuing:
    """The commands of an issuer, of whoever keeps the cache, and of who presents."""

    def __init__(self, place):
        self.place, self.home = place, place.home
        self.owner, self.admin = place.keys["owner"], place.keys["admin"]
        self.config = ("--config", place.home / "relay.toml")
        self.chain = ("--rpc", place.url("alpha"), "--chain-id", CHAIN)
        self.hub = ("--hub-rpc", place.url("hub"), "--hub-chain-id", HUB_EVM)
        self.updated = ("--chain", "alpha", "--client", "client-0", "--follows", "hub")
        self.octets = bytes(SHAPE.chunks * 32)

    def run(self, *words, code=0):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == code, done.output
        return done.stdout

    def jwk(self, name, key):
        file = self.home / f"{name}.jwk.json"
        file.write_text(self.run("identity", "jwk", *key.options))
        return file

    def accredited(self):
        """The owner's key seals, the admin's writes lists and controls the DID."""
        sealing, logging = self.jwk("sealing", self.owner), self.jwk("logging", self.admin)
        keys = ("--key", f"contract={sealing}", "--key", f"log={logging}", "--salt", "55" * 32, "--json")
        registering = ("identity", "register", *keys, *self.config, *self.admin.options)
        did = json.loads(self.run(*registering, "--show"))["did"]
        admin = ("--hub-admin", self.admin.keystore, "--hub-admin-password-file", self.admin.password_file)
        self.run("hub", "accredit-root", did, "--schema", SCHEMA, *self.config, *admin)
        self.run(*registering, "--accredited", SCHEMA)
        opening = ("--key", sealing, "--schema", SCHEMA, "--size", SHAPE.size)
        self.run("identity", "list", "open", did, *opening, *self.config, *self.admin.options)
        return did

    def revoke(self, did):
        chunk = INDEX // 256
        changed = bytearray(32)
        changed[INDEX % 256 // 8] |= 1 << INDEX % 8
        file = self.home / "update"
        file.write_bytes(encode_update(prove_update(SHAPE, self.octets, {chunk: bytes(changed)})))
        self.run("identity", "list", "update", did, "0", "--update", file, *self.config, *self.admin.options)
        self.octets = self.octets[: 32 * chunk] + bytes(changed) + self.octets[32 * chunk + 32 :]

    def synchronise(self, did, cache):
        # what was written last is under the header of a later block
        last = int(self.place.rpc("hub", "eth_blockNumber"), 16)
        self.place.until(lambda: int(self.place.rpc("hub", "eth_blockNumber"), 16) > last)
        self.run("client", "update", *self.config, *self.updated, *self.owner.options)
        words = ("identity", "sync", did, "--list", 0, *self.chain, "--cache", cache, *self.hub)
        call = json.loads(self.run(*words))
        assert call["standing"] == "good" and call["to"] == cache
        said = json.loads(self.run(*words, *self.owner.options, "--json"))
        assert said["header_height"] == call["header_height"] and said["transaction"].startswith("0x")

    def send(self, to, data):
        """A transaction of the owner's; its receipt."""
        account = self.owner.account()
        fields = {
            "nonce": int(self.place.rpc("alpha", "eth_getTransactionCount", account.address, "latest"), 16),
            "gasPrice": int(self.place.rpc("alpha", "eth_gasPrice"), 16),
            "gas": 5_000_000,
            "chainId": CHAIN,
            "value": 0,
            "data": data,
        } | ({} if to is None else {"to": to_checksum_address(to)})
        raw = account.sign_transaction(fields).raw_transaction
        sent = self.place.rpc("alpha", "eth_sendRawTransaction", f"0x{raw.hex()}")
        self.place.until(lambda: self.place.rpc("alpha", "eth_getTransactionReceipt", sent) is not None)
        return self.place.rpc("alpha", "eth_getTransactionReceipt", sent)

    def refusal(self, to, data):
        """The first four bytes of the error by which the contract refuses a call of the owner's."""
        call = {"from": self.owner.address, "to": to, "data": f"0x{data.hex()}"}
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [call, "latest"]}
        answer = httpx.post(self.place.url("alpha"), json=body, timeout=10, trust_env=False).json()
        return bytes.fromhex(answer["error"]["data"][2:10])

    def sealed(self, did):
        secret = bytes(self.owner.account().key)
        issuer = bytes.fromhex(did.rpartition(":")[2])
        holder = bytes.fromhex(HOLDER.address[2:])
        seal = Seal(bytes.fromhex(SCHEMA), issuer, 0, INDEX, int(time.time()) + 10**8, holder, claims_root(CLAIMS))
        print_of = thumbprint(public_key(self.owner.account()))
        return encode_seal_file(SealedCredential(seal, print_of, sign_account(secret, seal_digest(seal)), CLAIMS))

    def mint_call(self, file, gate, nonce):
        seal, owner = read_seal_file(file), self.owner.account().address
        status = status_proof(self.octets, SHAPE.bits, seal.seal[3])
        call = Gate(CHAIN, gate, owner, "mint(ACCEPTANCE,address)", (owner,))
        terms = (nonce, int(time.time()) + 10**6)
        return acceptance(
            seal, call, ["age_over_18"], status, terms, lambda one: HOLDER.unsafe_sign_hash(one).signature
        )
