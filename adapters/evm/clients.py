"""Hub clients as an EVM chain stores them, in the encoding of the Python 07-tendermint client."""

from dataclasses import dataclass

from adapters.ics26.abi import GET_CLIENT, Function
from adapters.ics26.execution import ExecutionRpc
from adapters.ics26.router import RouterReads
from adapters.interface import BadAnswer, ClientInfo, RefusedByChain, UnknownClient
from light_clients.interface import NANOSECONDS_PER_SECOND, ClientStatus, Height, VerificationError
from light_clients.proofs.ics23.specs import SMT_SPEC
from light_clients.tendermint.codec import encode_client_state, encode_consensus_state
from light_clients.tendermint.types import FROZEN_HEIGHT, ClientState, ConsensusState, TrustLevel

CLIENT_TYPE = "07-tendermint"
UPGRADE_PATH = ("upgrade",)
"""Of every client of a hub; upgrades are not offered, and HubClient does not store it."""

CLIENT_STATE_TUPLE = "(string,uint64,uint64,uint64,uint64,uint64,(uint64,uint64),bool)"
CONSENSUS_STATE_TUPLE = "(uint64,bytes32,bytes32)"
GET_CLIENT_STATE = Function("getClientState", (), ("bytes",))
GET_CONSENSUS_STATE = Function("getConsensusState", ("uint64", "uint64"), (CONSENSUS_STATE_TUPLE,))
STATUS = Function("status", (), ("uint8",))
_STATUSES = (ClientStatus.ACTIVE, ClientStatus.FROZEN, ClientStatus.EXPIRED)
"""Order of the contracts' ClientStatus enumeration."""

_STATE_FIELDS = Function("ClientState", (), (CLIENT_STATE_TUPLE,))


def client_state_from_abi(encoded: bytes) -> ClientState:
    """HubClient's ClientState struct as the 07-tendermint client state that it stands for."""
    ((chain_id, numerator, denominator, trusting_s, unbonding_s, drift_s, latest, frozen),) = _STATE_FIELDS.decode(
        encoded
    )
    return ClientState(
        chain_id=chain_id,
        trust_level=TrustLevel(numerator, denominator),
        trusting_period_ns=trusting_s * NANOSECONDS_PER_SECOND,
        unbonding_period_ns=unbonding_s * NANOSECONDS_PER_SECOND,
        max_clock_drift_ns=drift_s * NANOSECONDS_PER_SECOND,
        frozen_height=FROZEN_HEIGHT if frozen else Height(0, 0),
        latest_height=Height(*latest),
        proof_specs=(SMT_SPEC,),
        upgrade_path=UPGRADE_PATH,
    )


@dataclass(frozen=True, slots=True)
class HubClientReads:
    """Reads of the light clients behind one router."""

    chain: str
    execution: ExecutionRpc
    router: bytes
    reads: RouterReads

    async def address(self, client_id: str) -> bytes:
        """Of the contract. Raises UnknownClient."""
        try:
            returned = await self.execution.call(self.router, GET_CLIENT.encode(client_id))
        except RefusedByChain as error:
            if error.name == "IBCClientNotFound":
                raise UnknownClient(self.chain, client_id) from error
            raise
        (address,) = GET_CLIENT.decode(returned)
        return bytes.fromhex(address.removeprefix("0x"))

    async def client(self, client_id: str) -> ClientInfo:
        """See ChainAdapter."""
        contract = await self.address(client_id)
        (encoded,) = GET_CLIENT_STATE.decode(await self.execution.call(contract, GET_CLIENT_STATE.encode()))
        (status,) = STATUS.decode(await self.execution.call(contract, STATUS.encode()))
        if status >= len(_STATUSES):
            raise BadAnswer("status", "returned", "is no client status", got=status)
        try:
            state = client_state_from_abi(encoded)
            encoded_state = encode_client_state(state)
        except VerificationError as error:
            raise BadAnswer("getClientState", "returned", str(error)) from error
        latest = await self._consensus_state(contract, state.latest_height)
        counterparty = await self.reads.counterparty(client_id)
        return ClientInfo(
            client_id=client_id,
            client_type=CLIENT_TYPE,
            status=_STATUSES[status],
            latest_height=state.latest_height,
            latest_timestamp_ns=0 if latest is None else latest.timestamp_ns,
            trusting_period_ns=state.trusting_period_ns,
            counterparty_client_id=None if counterparty is None else counterparty[0],
            merkle_prefix=() if counterparty is None else counterparty[1],
            client_state=encoded_state,
        )

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        """See ChainAdapter."""
        state = await self._consensus_state(await self.address(client_id), height)
        return None if state is None else encode_consensus_state(state)

    async def _consensus_state(self, contract: bytes, height: Height) -> ConsensusState | None:
        data = GET_CONSENSUS_STATE.encode(height.revision_number, height.revision_height)
        try:
            returned = await self.execution.call(contract, data)
        except RefusedByChain as error:
            if error.name == "UnknownHeight":
                return None
            raise
        ((timestamp_ns, root, next_validators_hash),) = GET_CONSENSUS_STATE.decode(returned)
        return ConsensusState(timestamp_ns, root, next_validators_hash)
