"""Light clients on the hub, as its client manager serves them: already in the Python light clients' encoding."""

from hutong.adapters.hub.settings import CLIENT_MANAGER_ADDRESS
from hutong.adapters.ics26.abi import GET_COUNTERPARTY, Function
from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.ics26.router import NO_COUNTERPARTY, RouterReads, decode_counterparty
from hutong.adapters.interface import BadAnswer, ClientInfo, NotSupported, RefusedByChain, UnknownClient
from hutong.light_clients.ibc.abi import HEIGHT_TUPLE
from hutong.light_clients.ibc.identifiers import client_id_for, client_type_of
from hutong.light_clients.interface import ClientStatus, Height, VerificationError
from hutong.light_clients.table import LIGHT_CLIENTS

GET_CLIENT_STATE = Function("getClientState", ("string",), ("bytes",))
GET_CONSENSUS_STATE = Function("getConsensusState", ("string", HEIGHT_TUPLE), ("bytes",))
GET_CLIENT_STATUS = Function("getClientStatus", ("string",), ("string",))
GET_NEXT_SEQUENCE_SEND = Function("getNextSequenceSend", ("string",), ("uint64",))

MAX_CLIENTS_OF_TYPE = 100_000
"""Each was created by a decision of the hub's admins or validators."""


class HostedClients:
    """Reads of the client manager."""

    def __init__(self, chain: str, execution: ExecutionRpc, reads: RouterReads) -> None:
        self._chain = chain
        self._execution = execution
        self._reads = reads

    async def _view(self, function: Function, client_id: str, *arguments: object) -> object:
        data = function.encode(client_id, *arguments)
        try:
            returned = await self._execution.call(CLIENT_MANAGER_ADDRESS, data)
        except RefusedByChain as error:
            if error.name == "IBCClientNotFound":
                raise UnknownClient(self._chain, client_id) from error
            raise
        (value,) = function.decode(returned)
        return value

    async def next_client_id(self, client_type: str) -> str:
        """The identifier that the next client of a type will get: the first number that is not taken.

        It asks on the node's newest state, at most a few dozen times: numbers of a type have no gaps.

        Raises:
            EndpointUnavailable: no endpoint answers.
            BadAnswer: a node says that more than MAX_CLIENTS_OF_TYPE are taken.
        """
        taken, step = 0, 1  # every number below `taken` is taken
        while await self._is_taken(client_id_for(client_type, taken + step - 1)):
            taken, step = taken + step, 2 * step
            if taken > MAX_CLIENTS_OF_TYPE:
                raise BadAnswer(
                    "getClientState", client_type, f"has more than {MAX_CLIENTS_OF_TYPE} clients", got=taken
                )
        free = taken + step - 1
        while taken < free:
            middle = (taken + free) // 2
            if await self._is_taken(client_id_for(client_type, middle)):
                taken = middle + 1
            else:
                free = middle
        return client_id_for(client_type, free)

    async def _is_taken(self, client_id: str) -> bool:
        try:
            await self._view(GET_CLIENT_STATE, client_id)
        except UnknownClient:
            return False
        return True

    async def client_ids(self) -> tuple[str, ...]:
        """Every client of the hub, by type and number; the hub numbers those of a type from 0 on, without gaps.

        Raises:
            EndpointUnavailable, BadAnswer: as `next_client_id`.
        """
        found: list[str] = []
        for client_type in LIGHT_CLIENTS:
            following = await self.next_client_id(client_type)
            number = int(following.rpartition("-")[2])
            found += [client_id_for(client_type, each) for each in range(number)]
        return tuple(found)

    async def client(self, client_id: str) -> ClientInfo:
        """See ChainAdapter; on the node's newest state, without a proof.

        Raises:
            UnknownClient: the hub has no client of that name.
            NotSupported: a client type that the Python light clients do not have.
            BadAnswer: an answer is malformed, or the client state is not of the type that the name says.
            MalformedInput: `client_id` has no type and number.
        """
        client_type = client_type_of(client_id)
        light_client = LIGHT_CLIENTS.get(client_type)
        client_state, status, counterparty = await self._facts(client_id)
        if light_client is None:
            raise NotSupported(f"client type {client_type}")
        if not isinstance(client_state, bytes):
            raise BadAnswer("getClientState", "returned", "is not bytes")
        if status not in tuple(ClientStatus):
            raise BadAnswer("getClientStatus", "returned", "is not a client status", got=status)
        try:
            latest = light_client.latest_height(client_state)
            consensus_state = await self.consensus_state(client_id, latest)
            timestamp_ns = 0 if consensus_state is None else light_client.timestamp_ns(consensus_state)
            period_ns = light_client.trusting_period_ns(client_state)
        except VerificationError as error:
            raise BadAnswer("getClientState", "returned", str(error)) from error
        return ClientInfo(
            client_id=client_id,
            client_type=client_type,
            status=ClientStatus(str(status)),
            latest_height=latest,
            latest_timestamp_ns=timestamp_ns,
            trusting_period_ns=period_ns,
            counterparty_client_id=None if counterparty is None else counterparty[0],
            merkle_prefix=() if counterparty is None else counterparty[1],
            client_state=client_state,
        )

    async def _facts(self, client_id: str) -> tuple[object, object, tuple[str, tuple[bytes, ...]] | None]:
        """Client state, status and counterparty in one exchange, two where no counterparty is registered yet."""
        calls = [
            (CLIENT_MANAGER_ADDRESS, GET_CLIENT_STATE.encode(client_id)),
            (CLIENT_MANAGER_ADDRESS, GET_CLIENT_STATUS.encode(client_id)),
            (self._reads.router, GET_COUNTERPARTY.encode(client_id)),
        ]
        try:
            state, status, counterparty = await self._execution.call_each(calls)
        except RefusedByChain as error:
            if error.name == NO_COUNTERPARTY:
                bare = await self._view(GET_CLIENT_STATE, client_id), await self._view(GET_CLIENT_STATUS, client_id)
                return *bare, None
            if error.name == "IBCClientNotFound":
                raise UnknownClient(self._chain, client_id) from error
            raise
        return *GET_CLIENT_STATE.decode(state), *GET_CLIENT_STATUS.decode(status), decode_counterparty(counterparty)

    async def consensus_state(self, client_id: str, height: Height) -> bytes | None:
        """See ChainAdapter; on the node's newest state, without a proof.

        Raises:
            UnknownClient: the hub has no client of that name.
            BadAnswer: the answer is malformed.
        """
        value = await self._view(GET_CONSENSUS_STATE, client_id, (height.revision_number, height.revision_height))
        if not isinstance(value, bytes):
            raise BadAnswer("getConsensusState", "returned", "is not bytes")
        return value or None
