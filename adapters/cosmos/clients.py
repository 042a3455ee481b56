"""Light clients on a Cosmos SDK chain, read from ibc-go's own store (24-host and 02-client/v2 of v10)."""

from dataclasses import dataclass

from google.protobuf.any_pb2 import Any

from hutong.adapters.cometbft import CLIENT_TYPE
from hutong.adapters.cosmos.rpc import CosmosRpc
from hutong.adapters.interface import BadAnswer, ClientInfo, Head, NotSupported, UnknownClient
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import Height, VerificationError
from hutong.light_clients.interface.client import MAX_CLIENT_STATE_BYTES, MAX_CONSENSUS_STATE_BYTES
from hutong.light_clients.protobuf.canonical import parse_canonical
from hutong.light_clients.protobuf.cosmos_state_pb2 import CounterpartyInfo
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import decode_client_state, decode_consensus_state

CLIENT_STATE_TYPE = "/ibc.lightclients.tendermint.v1.ClientState"
CONSENSUS_STATE_TYPE = "/ibc.lightclients.tendermint.v1.ConsensusState"
MAX_ANY_OVERHEAD_BYTES = 256
MAX_COUNTERPARTY_BYTES = 8 * 1024
SEQUENCE_BYTES = 8

_LIGHT_CLIENT = TendermintClient()


def client_key(client_id: str, item: str) -> bytes:
    """The key `clients/<id>/<item>` in the ibc store (ICS-24), as stock ibc-go writes it.

    Raises:
        MalformedInput: `client_id` is not an identifier.
    """
    return f"clients/{check_client_id(client_id)}/{item}".encode()


def next_sequence_key(client_id: str) -> bytes:
    """The key of the sequence that a client's next packet gets. It has one slash, unlike that of channels.

    Raises:
        MalformedInput: `client_id` is not an identifier.
    """
    return f"nextSequenceSend/{check_client_id(client_id)}".encode()


@dataclass(frozen=True, slots=True)
class _OneState:
    """The latest consensus state, which is all that a status needs."""

    height: Height
    state: bytes | None

    def get(self, height: Height) -> bytes | None:
        return self.state if height == self.height else None

    def before(self, height: Height) -> tuple[Height, bytes] | None:
        return None

    def after(self, height: Height) -> tuple[Height, bytes] | None:
        return None


class StoredClients:
    """Raw values without proof: hints, as every read of state."""

    def __init__(self, chain: str, rpc: CosmosRpc) -> None:
        self._chain = chain
        self._rpc = rpc

    async def client(self, client_id: str, head: Head) -> ClientInfo:
        """See ChainAdapter. The status is what stock code derives from the same state at the head's time.

        Args:
            head: the final block whose state is read.

        Raises:
            UnknownClient: no client of that name.
            NotSupported: a client type other than 07-tendermint.
            BadAnswer: a stored value is malformed.
        """
        packed = await self._rpc.stored(client_key(client_id, "clientState"), head.height)
        if packed is None:
            raise UnknownClient(self._chain, client_id)
        try:
            kind, client_state = _unpacked(packed, "clientState", MAX_CLIENT_STATE_BYTES)
            if kind != CLIENT_STATE_TYPE:
                raise NotSupported(f"client type {kind} of {client_id} on {self._chain}")
            state = decode_client_state(client_state)
            latest = await self.consensus_state(client_id, state.latest_height, head.height)
            status = _LIGHT_CLIENT.status(client_state, _OneState(state.latest_height, latest), head.time_ns)
            timestamp_ns = 0 if latest is None else decode_consensus_state(latest).timestamp_ns
            counterparty = await self._counterparty(client_id, head.height)
        except VerificationError as error:
            raise BadAnswer("abci_query", "response.value", str(error)) from error
        return ClientInfo(
            client_id=client_id,
            client_type=CLIENT_TYPE,
            status=status,
            latest_height=state.latest_height,
            latest_timestamp_ns=timestamp_ns,
            trusting_period_ns=state.trusting_period_ns,
            counterparty_client_id=None if counterparty is None else counterparty.client_id,
            merkle_prefix=() if counterparty is None else tuple(counterparty.merkle_prefix),
            client_state=client_state,
        )

    async def consensus_state(self, client_id: str, height: Height, at: int) -> bytes | None:
        """The encoded consensus state that a client stores at `height`, in the state of the chain after block `at`.

        Returns:
            None if it stores none.

        Raises:
            NotSupported: it is of another type than 07-tendermint's.
            BadAnswer: the stored value is malformed.
        """
        packed = await self._rpc.stored(client_key(client_id, f"consensusStates/{height}"), at)
        if packed is None:
            return None
        try:
            kind, consensus_state = _unpacked(packed, "consensusState", MAX_CONSENSUS_STATE_BYTES)
        except VerificationError as error:
            raise BadAnswer("abci_query", "response.value", str(error)) from error
        if kind != CONSENSUS_STATE_TYPE:
            raise NotSupported(f"consensus state type {kind} of {client_id} on {self._chain}")
        return consensus_state

    async def _counterparty(self, client_id: str, at: int) -> CounterpartyInfo | None:
        stored = await self._rpc.stored(client_key(client_id, "counterparty"), at)
        if stored is None:
            return None
        return parse_canonical(CounterpartyInfo, stored, "counterparty", MAX_COUNTERPARTY_BYTES)

    async def next_sequence_send(self, client_id: str, at: int) -> int:
        """The sequence of the next packet over a client, in the state after block `at`; 1 if none was sent.

        Raises:
            MalformedInput: `client_id` is not an identifier.
            BadAnswer: what is stored is not a sequence of 8 bytes.
        """
        stored = await self._rpc.stored(next_sequence_key(client_id), at)
        if stored is None:
            return 1
        if len(stored) != SEQUENCE_BYTES:
            raise BadAnswer("abci_query", "response.value", "is not a sequence of 8 bytes", got=stored)
        return int.from_bytes(stored, "big")


def _unpacked(packed: bytes, field: str, max_bytes: int) -> tuple[str, bytes]:
    """(type URL, message). Raises MalformedInput."""
    message = parse_canonical(Any, packed, field, max_bytes + MAX_ANY_OVERHEAD_BYTES)
    return message.type_url, message.value
