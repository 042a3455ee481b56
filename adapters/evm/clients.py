"""Light clients as an EVM chain stores them, in the encoding of the Python light clients."""

from collections.abc import Iterable, Sequence

from hutong.adapters.evm.kinds import HOSTED_KINDS, HostedKind, hub_client_state
from hutong.adapters.ics26.abi import GET_CLIENT, Function
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.router import RouterReads
from hutong.adapters.interface import BadAnswer, ClientInfo, NotSupported, RefusedByChain, UnknownClient
from hutong.adapters.rpc import Together, all_of
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, ClientStatus, Height, VerificationError

GET_CLIENT_STATE = Function("getClientState", (), ("bytes",))
CLIENT_TYPE = Function("clientType", (), ("string",))
STATUS = Function("status", (), ("uint8",))
LATEST_TIMESTAMP = Function("latestTimestamp", (), ("uint256",))
_STATUSES = (ClientStatus.ACTIVE, ClientStatus.FROZEN, ClientStatus.EXPIRED)
"""Order of the contracts' ClientStatus enumeration."""
MOST_ASKING = 256


async def hub_client_expires_at_s(execution: ExecutionRpc, contract: bytes) -> int:
    """When a HubClient expires if nobody updates it, Unix seconds; of one that no router needs to know.

    Args:
        contract: its address, 20 bytes.

    Raises:
        RefusedByChain, BadAnswer: no HubClient is there.
        EndpointUnavailable: no endpoint answers.
    """
    (encoded,) = GET_CLIENT_STATE.decode(await execution.call(contract, GET_CLIENT_STATE.encode()))
    (latest_s,) = LATEST_TIMESTAMP.decode(await execution.call(contract, LATEST_TIMESTAMP.encode()))
    return int(latest_s) + hub_client_state(encoded).trusting_period_ns // NANOSECONDS_PER_SECOND


class HostedClients:
    """Reads of the light clients behind one router. A client's type never changes, also not with its contract."""

    def __init__(self, chain: str, execution: ExecutionRpc, router: bytes, reads: RouterReads) -> None:
        self._chain = chain
        self._execution = execution
        self._router = router
        self._reads = reads
        self._kinds: dict[str, HostedKind] = {}
        self._addresses: Together[None, bytes, str] = Together(self._read_address, MOST_ASKING)

    async def address(self, client_id: str) -> bytes:
        """The 20 bytes of a client's contract; asked for once by all who need it at one moment.

        Raises:
            UnknownClient: the router has no client of that name.
            EndpointUnavailable: no endpoint answers.
        """
        return await self._addresses.get(client_id, None)

    async def _read_address(self, asking: Sequence[None], client_id: str) -> list[bytes]:
        try:
            returned = await self._execution.call(self._router, GET_CLIENT.encode(client_id))
        except RefusedByChain as error:
            if error.name == "IBCClientNotFound":
                raise UnknownClient(self._chain, client_id) from error
            raise
        (address,) = GET_CLIENT.decode(returned)
        return [bytes.fromhex(address.removeprefix("0x"))] * len(asking)

    async def learn_types(self, client_ids: Iterable[str]) -> None:
        """Ask for the types of these clients, which `encoding_of` then knows for good.

        Raises:
            UnknownClient: the router has no client of a name.
            NotSupported: a type that is not in HOSTED_KINDS.
        """
        for client_id in client_ids:
            if client_id not in self._kinds:
                await self._kind(client_id, await self.address(client_id))

    def encoding_of(self, client_id: str) -> HostedKind:
        """How a client wants its headers and proofs; asks nobody, so `learn_types` comes first.

        Raises:
            UnknownClient: its type was never asked for.
        """
        try:
            return self._kinds[client_id]
        except KeyError:
            raise UnknownClient(self._chain, client_id) from None

    async def _kind(self, client_id: str, contract: bytes) -> HostedKind:
        known = self._kinds.get(client_id)
        if known is None:
            (client_type,) = CLIENT_TYPE.decode(await self._execution.call(contract, CLIENT_TYPE.encode()))
            known = HOSTED_KINDS.get(client_type)
            if known is None:
                raise NotSupported(f"client {client_id} of type {client_type[:64]!r} on an EVM chain")
            self._kinds[client_id] = known
        return known

    async def client(self, client_id: str) -> ClientInfo:
        """See ChainAdapter. State, status and counterparty are read on the node's newest state, final or not.

        Raises:
            UnknownClient: the router has no client of that name.
            NotSupported: a type that is not in HOSTED_KINDS.
            BadAnswer: the contract's answers are malformed.
        """
        contract = await self.address(client_id)
        kind = await self._kind(client_id, contract)
        returned: dict[str, bytes] = {}
        counterparties: list[tuple[str, tuple[bytes, ...]] | None] = []

        async def view(function: Function) -> None:
            returned[function.name] = await self._execution.call(contract, function.encode())

        async def ask_counterparty(client_id: str) -> None:
            counterparties.append(await self._reads.counterparty(client_id))

        await all_of([(view, GET_CLIENT_STATE), (view, STATUS), (ask_counterparty, client_id)])
        (encoded,) = GET_CLIENT_STATE.decode(returned[GET_CLIENT_STATE.name])
        (status,) = STATUS.decode(returned[STATUS.name])
        (counterparty,) = counterparties
        if status >= len(_STATUSES):
            raise BadAnswer("status", "returned", "is not a client status", got=status)
        try:
            client_state = kind.client_state(encoded)
            latest_height = kind.light_client.latest_height(client_state)
            latest = await self._consensus_state(kind, contract, latest_height)
            timestamp_ns = 0 if latest is None else kind.light_client.timestamp_ns(latest)
            trusting_period_ns = kind.trusting_period_ns(encoded)
        except VerificationError as error:
            raise BadAnswer("getClientState", "returned", str(error)) from error
        return ClientInfo(
            client_id=client_id,
            client_type=kind.light_client.client_type,
            status=_STATUSES[status],
            latest_height=latest_height,
            latest_timestamp_ns=timestamp_ns,
            trusting_period_ns=trusting_period_ns,
            counterparty_client_id=None if counterparty is None else counterparty[0],
            merkle_prefix=() if counterparty is None else counterparty[1],
            client_state=client_state,
        )

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        """See ChainAdapter; on the node's newest state.

        Raises:
            UnknownClient: the router has no client of that name.
            NotSupported: a type that is not in HOSTED_KINDS.
            BadAnswer: the contract's answer is malformed.
        """
        contract = await self.address(client_id)
        return await self._consensus_state(await self._kind(client_id, contract), contract, height)

    async def _consensus_state(self, kind: HostedKind, contract: bytes, height: Height) -> bytes | None:
        data = kind.get_consensus_state.encode(height.revision_number, height.revision_height)
        try:
            returned = await self._execution.call(contract, data)
        except RefusedByChain as error:
            if error.name == "UnknownHeight":
                return None
            raise
        (value,) = kind.get_consensus_state.decode(returned)
        try:
            return kind.consensus_state(value)
        except VerificationError as error:
            raise BadAnswer("getConsensusState", "returned", str(error)) from error
