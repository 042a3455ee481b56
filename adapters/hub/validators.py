"""The hub's validators: who signs now, by a header that they signed, and who signs from the block after next, by its
state.
"""

from dataclasses import dataclass

from hutong.adapters.cometbft import CometRpc
from hutong.adapters.hub.settings import CLIENT_MANAGER_ADDRESS
from hutong.adapters.ics26.abi import Function
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.light_clients.interface import VERIFY, VerificationError
from hutong.light_clients.tendermint.predicates import CommitSignatures
from hutong.light_clients.tendermint.types import TWO_THIRDS, KeyType, PublicKey, ValidatorSet
from hutong.light_clients.tendermint.verification import judge_commit

GET_VALIDATORS = Function("getValidators", (), ("(bytes,uint64)[]",))
ADDRESS_CHARS = 40


@dataclass(frozen=True, slots=True)
class SigningSet:
    """The set that signed block `height`."""

    height: int
    validators: ValidatorSet


@dataclass(frozen=True, slots=True)
class NodeKey:
    """The validator key of the node behind the first usable endpoint. `alone`: it listens for no peers, so the embedded
    engine's one process decides every block."""

    address: bytes
    alone: bool


async def signing_set(comet: CometRpc) -> SigningSet:
    """The set of the newest block: it hashes to the header's `validators_hash`, and more than two thirds signed.

    Nothing here ties the header to a checkpoint of the caller's.

    Raises:
        BadAnswer: the set did not sign the header.
        HeightUnavailable, EndpointUnavailable: no endpoint gave the header or the set.
    """
    _, signed = (await comet.signed_heads())[0]
    header = signed.header
    validators = await comet.validators(header.height, header.validators_hash)
    try:
        judge_commit(VERIFY, signed, validators, CommitSignatures(header.chain_id, signed.commit))
    except VerificationError as error:
        raise BadAnswer("commit", "result.signed_header", str(error)) from error
    return SigningSet(header.height, validators)


async def coming_powers(execution: ExecutionRpc) -> dict[PublicKey, int]:
    """Power by key of the set in the hub's newest state, in its order: it signs from the block after next.

    By a node's word, and keys are not checked to be points.

    Raises:
        RefusedByChain, BadAnswer: no client manager is there.
    """
    returned = await execution.call(CLIENT_MANAGER_ADDRESS, GET_VALIDATORS.encode())
    (rows,) = GET_VALIDATORS.decode(returned)
    return {PublicKey(KeyType.SECP256K1, bytes(key)): int(power) for key, power in rows}


async def node_key(comet: CometRpc) -> NodeKey:
    """What `status` says of the node behind the first usable endpoint, which may say anything.

    Raises:
        BadAnswer: malformed; that the address has 20 bytes is not checked.
        EndpointUnavailable, RpcRefused: no endpoint answers.
    """

    def decode(fields: Fields) -> NodeKey:
        address = fields.at("validator_info").at("address")
        try:
            raw = bytes.fromhex(address.text(ADDRESS_CHARS))
        except ValueError as error:
            raise address.bad("is not hex") from error
        return NodeKey(raw, alone=not fields.at("node_info").at("listen_addr").text())

    return await comet.client.call("status", {}, decode)


def share_that_stops_blocks(powers: dict[PublicKey, int], key: PublicKey) -> bool:
    """Whether the others together have no more than two thirds, so that no block is made without this key."""
    total = sum(powers.values())
    return total - powers.get(key, 0) <= TWO_THIRDS.power_needed(total)
