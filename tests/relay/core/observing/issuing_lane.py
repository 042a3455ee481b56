"""An issuer on the hub of `ObservingLane`, with a cache and a gate on its chain alpha."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import trio
from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from hutong.adapters.evm.administration.reader import deploy_hub_reader
from hutong.adapters.evm.cache_calls import CacheCalls, CachedList
from hutong.adapters.hub import admin
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import RefusedByChain
from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.crypto import keccak256, sha256
from hutong.relay.administration.clients.updates import bring_to_newest
from hutong.relay.administration.evm.access import Endpoint
from hutong.relay.administration.evm.identity_cache import sync_call, sync_issuer
from hutong.relay.config import load_config
from hutong.relay.hub.application.identity import interface
from hutong.relay.hub.application.module import IDENTITY_ADDRESS
from hutong.relay.keys import Signer
from hutong.relay.sdk.identity_gate import Gate, SealFile, acceptance, status_proof
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose
from hutong.relay.services.identity.rules.seals import Claim, Seal, claims_root, seal_digest, sign_account
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape
from hutong.relay.services.identity.rules.status.chunk_update import changed_chunks, encode_update, prove_update
from tests.adapters.conformance.evidence_files import private, url_of
from tests.adapters.conformance.lane import DEPLOYER, HUB_EVM_CHAIN_ID
from tests.relay.core.observing.observing_lane import PATIENCE_S, ObservingLane, relay_file
from tests.relay.hub.application.identity.organisations import FAR_S, key_struct, named, policy, public_key, registered
from tests.relay.hub.simulated_hub import address_of

SCHEMA = b"\x44" * 32
SHAPE = TreeShape(1, 2**20)
MAX_AGE_S = 15
SALT = sha256(b"issuer")
CONTROLLER, LOGGING, SEALING, HOLDER = map(named, ("controller", "logging", "sealing", "holder"))
DID = registered(CONTROLLER, SALT)
CLAIM = Claim("age_over_18", True, b"\x01" * 32)
WRITER = (DID, thumbprint(public_key(LOGGING)))


@cache
def octets(revoked: tuple[int, ...]) -> bytes:
    """The list with these bits set."""
    bits = bytearray(SHAPE.chunks * 32)
    for index in revoked:
        bits[index // 8] |= 1 << index % 8
    return bytes(bits)


@cache
def seal_file(index: int) -> SealFile:
    seal = Seal(SCHEMA, DID, 0, index, 2**33, address_of(HOLDER), claims_root((CLAIM,)))
    claim = (CLAIM.salt, keccak256(CLAIM.name.encode()), 1, (1).to_bytes(32, "big"))
    signature = sign_account(bytes(SEALING.key), seal_digest(seal))
    return SealFile(seal.members(), thumbprint(public_key(SEALING)), signature, {CLAIM.name: claim})


@dataclass
class IssuingLane:
    """`revoked` is what the list says on the hub."""

    world: ObservingLane
    contract: bytes
    """The cache."""
    gate: bytes
    revoked: tuple[int, ...] = ()

    async def revoke(self, index: int) -> None:
        """Returns when the hub's block with it is there."""
        before, after = octets(self.revoked), octets((*self.revoked, index))
        update = prove_update(SHAPE, before, changed_chunks(before, after))
        await write(self.world, LOGGING, interface.UPDATE_LIST.call(WRITER, 0, encode_update(update), bytes(32)))
        self.revoked = (*self.revoked, index)

    async def kept(self) -> CachedList | None:
        """What the cache keeps."""
        chain = self.world.lane.alpha.chain
        return await CacheCalls(chain.execution, int(chain.chain_id), self.contract, chain.batch_limits).kept(DID, 0)

    async def verdict(self, index: int, revoked: tuple[int, ...] | None = None, at: int | str = "latest") -> str:
        """What the gate says in a block to a presentation that shows the list with these bits: "accepted", or its error."""
        chain = self.world.lane.alpha.chain
        receiver = DEPLOYER.address
        gate = Gate(
            int(chain.chain_id),
            to_checksum_address(self.gate),
            DEPLOYER.address,
            "mint(ACCEPTANCE,address)",
            (receiver,),
        )
        status = status_proof(octets(self.revoked if revoked is None else revoked), 1, index)
        data = acceptance(
            seal_file(index),
            gate,
            ["age_over_18"],
            status,
            (1, 2**33),
            lambda one: sign_account(bytes(HOLDER.key), one),
        )
        try:
            await chain.execution.call(self.gate, data, at, DEPLOYER.address)
        except RefusedByChain as refused:
            return refused.name
        return "accepted"

    async def says(self, verdict: str, index: int, revoked: tuple[int, ...] | None = None) -> None:
        """Wait until the gate says so."""
        with trio.fail_after(PATIENCE_S):
            while await self.verdict(index, revoked) != verdict:  # noqa: ASYNC110
                await trio.sleep(0.1)

    async def pull(self) -> None:
        """What a presenter brings where no relay runs: an update of alpha's client of the hub, and `sync`."""
        lane, config, random = self.world.lane, load_config(self.file()), Random(1)
        await bring_to_newest(config.chain("alpha"), lane.alpha.client, config.chain("hub"), DEPLOYER, random)
        alpha = Endpoint(url_of(lane.alpha.chain.execution.client), int(lane.alpha.chain.chain_id))
        hub = Endpoint(url_of(lane.hub.execution.client), HUB_EVM_CHAIN_ID)
        call = await sync_call(alpha, self.contract, hub, DID, (0,), random)
        await sync_issuer(alpha, self.contract, call, DEPLOYER, random)

    async def pull_until(self, verdict: str, index: int) -> None:
        """Pull until the gate says so: on a machine that runs much else a header is old when its block is there."""
        while await self.verdict(index) != verdict:
            await self.pull()

    def file(self) -> Path:
        """The relay's configuration as an operator has it."""
        path = relay_file(self.world)
        entry = self.table() | {"push_to": None}
        said = "".join(f"{name} = {value!r}\n" for name, value in entry.items() if value is not None)
        push = f'push_to = [{{ chain = "alpha", cache = "{to_checksum_address(self.contract)}" }}]\n'
        return private(path, f"{path.read_text()}\n[[issuers]]\n{said}{push}")

    def table(self) -> dict[str, Any]:
        """The entry of `[[issuers]]`."""
        return {
            "name": "issuer",
            "issuer": f"did:hutong:hutong:{DID.hex()}",
            "lists": [0],
            "interval_s": 10,
            "push_to": [{"chain": "alpha", "cache": to_checksum_address(self.contract)}],
        }


async def write(world: ObservingLane, account: LocalAccount, data: bytes) -> None:
    """A call of the hub's module by an account."""
    sender = Transactor(world.lane.hub.execution, HUB_EVM_CHAIN_ID, Signer.in_memory(bytes(account.key)))
    await sender.send(IDENTITY_ADDRESS, data)


async def issuing_on(world: ObservingLane) -> IssuingLane:
    """Accredited by the hub's admins, registered, list 0 open; cache and gate on alpha know nothing yet."""
    await world.execute(admin.accredit_root, DID, SCHEMA, 0, (0, FAR_S))
    first = [key_struct(public_key(SEALING), KeyPurpose.CONTRACT), key_struct(public_key(LOGGING), KeyPurpose.LOG)]
    said = (SALT, policy([CONTROLLER]), bytes(32), first)
    await write(world, CONTROLLER, interface.REGISTER_ACCREDITED.call(*said, SCHEMA))
    opened = (thumbprint(public_key(SEALING)), bytes(32), SCHEMA, SHAPE.bits, SHAPE.size)
    await write(world, LOGGING, interface.OPEN_LIST.call(WRITER, *opened))
    alpha = world.lane.alpha
    router = bytes.fromhex(alpha.contracts.router[2:])
    deployed = await deploy_hub_reader(alpha.deployer, router, alpha.client, "IdentityCache")
    contract = bytes.fromhex(deployed.reader[2:])
    arguments = encode(["address", "uint64", "bytes32"], [contract, MAX_AGE_S, SCHEMA])
    receipt = await alpha.deployer.send(None, load_artifact("ExampleAgeGate").bytecode + arguments)
    assert receipt.contract_address is not None
    lane = IssuingLane(world, contract, receipt.contract_address)
    world.issuers = [lane.table()]
    return lane
