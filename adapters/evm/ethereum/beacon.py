"""Ethereum's consensus: what a sync committee shows to be finalized, at heights that are slots of the beacon chain."""

from collections.abc import Sequence
from dataclasses import replace

from hutong.adapters.evm.consensus import RouterOnChain
from hutong.adapters.evm.ethereum.beacon_api import BeaconApi, ServedUpdate
from hutong.adapters.evm.ethereum.finality import Finality, finalized_header_of
from hutong.adapters.evm.ethereum.slots import ExecutionBlocks, NamedBlock
from hutong.adapters.evm.proofs import AccountProof, ProofSource
from hutong.adapters.interface import (
    BadAnswer,
    ClientParameters,
    EndpointMismatch,
    EndpointUnavailable,
    Head,
    HeightUnavailable,
    InitialStates,
    NotSupported,
    Proof,
    RpcRefused,
)
from hutong.light_clients.ethereum import (
    ClientState,
    EthereumClient,
    Header,
    LightClientHeader,
    Network,
    Parameters,
    SyncCommittee,
    beacon_block_root,
    decode_client_state,
    encode_client_state,
    encode_consensus_state,
    encode_header_message,
    states_from_bootstrap,
    supermajority,
    sync_committee_root,
)
from hutong.light_clients.ethereum.client import execution_of
from hutong.light_clients.ethereum.verification import judge_bootstrap, judge_branches, judge_signature
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    VERIFY,
    Height,
    MalformedInput,
    PredicateFailed,
    VerificationError,
)

CLIENT_TYPE = EthereumClient.client_type


class BeaconConsensus:
    """See hutong.adapters.evm.consensus; every height here is a slot, and `blocks` says which execution block belongs to it."""

    blocks_per_update = None
    has_unfinal_blocks = True

    def __init__(self, router: RouterOnChain, api: BeaconApi, network: Network) -> None:
        self._chain = router.chain
        self._chain_id = router.chain_id
        self._router = router.address
        self._api = api
        self._network = network
        self._finality = Finality(router.chain, api, network)
        self.blocks = ExecutionBlocks(router.chain, router.execution, network)
        self._proofs = ProofSource(router.chain, router.execution, router.address, self.blocks.state_root)

    async def head(self) -> Head:
        """The newest finalized block, whose height is a slot.

        Of several beacon nodes the lower middle one is taken, so that neither one that runs ahead nor one that has
        stopped holds the others, and the execution nodes must have its block. Its signatures are judged once a client
        says whose they must be.

        Raises:
            EndpointUnavailable: no beacon node names a block that verifies and that the execution nodes have; it says
                why.
        """
        answers = await self._api.finality_updates()
        self._api.client.heads_seen([(endpoint, served.update.finalized_slot) for endpoint, served in answers])
        ordered = sorted(answers, key=lambda answer: -answer[1].update.finalized_slot)
        reasons: list[tuple[str, str]] = []
        middle = len(ordered) // 2
        for endpoint, served in (*ordered[middle:], *reversed(ordered[:middle])):
            try:
                return await self._accepted(served)
            except EndpointUnavailable as error:  # maybe the execution nodes are behind: an older one they may have
                reasons.append((endpoint.name, str(error)))
            except VerificationError as error:
                self._api.client.leave(endpoint, f"its finality update proves nothing: {error}")
                reasons.append((endpoint.name, str(error)))
        raise EndpointUnavailable(self._chain, "finality_update", tuple(reasons))

    async def _accepted(self, served: ServedUpdate) -> Head:
        judge_branches(VERIFY, served.update, self._network)
        header = finalized_header_of(served)
        execution = execution_of(header)
        slot_time_s = self._network.slot_time_s(header.beacon.slot)
        if execution.timestamp_s != slot_time_s:  # or the head could be led to a slot that is still far away
            raise PredicateFailed("payload_time_is_of_slot", "is another", execution.timestamp_s, slot_time_s)
        await self.blocks.finalized(NamedBlock.of_payload(execution))
        self._finality.learn(served)
        time_ns = execution.timestamp_s * NANOSECONDS_PER_SECOND
        return Head(header.beacon.slot, beacon_block_root(header.beacon), time_ns)

    async def facts(self, height: int) -> tuple[bytes, int]:
        """(hash, time in nanoseconds of Unix time) of the execution block with that *number*, which is not a slot.

        Raises:
            EndpointUnavailable: no execution endpoint has the block.
        """
        return await self.blocks.facts(height)

    def proving_height(self, event_height: int) -> Height:
        """The first finalized slot seen that holds the event: only blocks that updates name become states of clients.

        `event_height` itself if none was seen yet; ask again once the head is there.
        """
        return Height(0, self._finality.at_or_above(event_height) or event_height)

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """See ChainAdapter: one for every sync committee period that was missed, and the one to `target`.

        Raises:
            NotSupported: a client type other than `ethereum`.
            EndpointMismatch: the client follows another network or router.
            HeightUnavailable: `target` is below `trusted`, was not seen to be final, or is signed by nobody.
            EndpointUnavailable, RpcRefused: the beacon or execution nodes do not answer.
            MalformedInput: `client_state` is not an ethereum client's.
        """
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"{client_type} headers of an Ethereum chain")
        client = decode_client_state(client_state)
        self._check_network(client)
        if target == trusted:
            return ()
        if target < trusted:
            raise HeightUnavailable(self._chain, target.revision_height, f"the client is at {trusted} already")
        way = await self._finality.way(client.committees, target.revision_height)
        return tuple(await self._messages(client, way))

    async def _messages(self, client: ClientState, way: Sequence[ServedUpdate]) -> list[bytes]:
        period_at = self._network.period_at
        first = period_at(client.committees.finalized_slot)
        roots = {first: client.committees.current_root}
        if client.committees.next_root is not None:
            roots[first + 1] = client.committees.next_root
        brought: dict[bytes, SyncCommittee] = {}
        messages = []
        for served in way:
            update = served.update
            period = period_at(update.signature_slot)
            committee = brought.get(roots[period]) or await self._finality.committee(roots[period], period)
            try:
                judge_signature(VERIFY, update, committee, self._network)
            except VerificationError as error:
                self._finality.forget(served)
                raise HeightUnavailable(
                    self._chain,
                    update.finalized_slot,
                    f"what the beacon nodes served for it is signed by nobody: {error}",
                ) from error
            block = NamedBlock.of_payload(execution_of(finalized_header_of(served)))
            await self.blocks.finalized(block)
            account = await self._proofs.account(block.number)
            messages.append(encode_header_message(Header(served.fork, update, committee, account.nodes)))
            following = update.next_sync_committee
            if following is not None:
                root = sync_committee_root(following)
                roots.setdefault(period_at(update.attested_slot) + 1, root)
                brought[root] = following
        return messages

    def _check_network(self, client: ClientState) -> None:
        got, expected = client.network.genesis_validators_root, self._network.genesis_validators_root
        if got != expected or client.router_address != self._router:
            raise EndpointMismatch(
                self._chain,
                "chain and router that the client follows",
                (got, client.router_address),
                (expected, self._router),
            )

    async def bare_header(self, height: int) -> bytes:
        """Not offered, so a bundle of this chain holds none.

        Raises:
            NotSupported: always.
        """
        raise NotSupported("bundles with headers of an Ethereum chain")

    async def prove_all(
        self, paths: Sequence[tuple[bytes, ...]], height: Height, client_state: bytes
    ) -> tuple[Proof, ...]:
        """See ChainAdapter. `height` is a slot; the proofs are of the execution block that belongs to it.

        Raises:
            HeightUnavailable: the slot is not final, or the execution nodes keep no state so old.
            MalformedInput: a path has not one element.
            EndpointUnavailable: no execution node gave a proof that verifies.
        """
        number = await self.number_at(height.revision_height)
        proofs = await self._proofs.prove_all(paths, Height(0, number))
        return tuple(replace(proof, height=height) for proof in proofs)

    async def state_block(self, height: int) -> tuple[int, bytes]:
        """See hutong.adapters.evm.consensus; `height` is a slot. Raises as `number_at`."""
        number = await self.number_at(height)
        return number, await self.blocks.state_root(number)

    async def show_state_root(
        self, client_type: str, client_state: bytes, trusted: Height | None, height: Height
    ) -> bytes:
        """See `ObservedChain`: nothing, since the client's state holds the root."""
        return b""

    async def number_at(self, slot: int) -> int:
        """The number of the execution block whose state a slot has: its own block, or the newest before it.

        Raises:
            HeightUnavailable: the slot is not final yet.
            EndpointUnavailable: the execution nodes do not answer.
        """
        header = self._finality.header(slot)
        return await self.blocks.number_at(slot) if header is None else execution_of(header).block_number

    async def initial_states(self, client_type: str, parameters: ClientParameters) -> InitialStates:
        """At the block whose root is given; without one at the newest that the endpoints call finalized.

        Raises:
            NotSupported: another client type, or a `begin_height`: this client begins at a block root.
            MalformedInput: `min_participants` is not between two thirds of a committee and all of it.
            HeightUnavailable: there is no bootstrap of the block, or the client could not leave its first period.
            BadAnswer: the bootstrap does not verify, or is malformed.
            EndpointUnavailable: the beacon or execution nodes do not answer.
        """
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"a {client_type} client of an Ethereum chain")
        if parameters.begin_height is not None:
            raise NotSupported("a beginning by height: the client of an Ethereum chain begins at a block root")
        size = self._network.preset.sync_committee_size
        participants = parameters.min_participants or supermajority(size)
        if not supermajority(size) <= participants <= size:
            raise MalformedInput("min_participants", f"must be {supermajority(size)} to {size}", got=participants)
        head = await self.head()
        root = parameters.trusted_block_root or head.hash
        try:
            bootstrap = await self._finality.bootstrap(root)
        except RpcRefused as error:
            raise HeightUnavailable(
                self._chain, head.height, f"the beacon nodes give no bootstrap of block 0x{root.hex()}: {error}"
            ) from error
        if bootstrap.header.execution is None:
            raise BadAnswer("bootstrap", "data.header.execution", "is missing")
        try:
            judge_bootstrap(VERIFY, bootstrap, root, self._network)
            account = await self._router_at(bootstrap.header, "a router must be final before a client can begin")
            await self._check_rotation(self._network.period_at(bootstrap.header.beacon.slot))
            client_state, consensus_state = states_from_bootstrap(
                Parameters(
                    chain_id=self._chain_id,
                    network=self._network,
                    router_address=self._router,
                    min_participants=participants,
                    trusting_period_s=parameters.trusting_period_s,
                    max_clock_drift_s=parameters.max_clock_drift_s,
                ),
                bootstrap,
                root,
                account.nodes,
            )
        except VerificationError as error:
            raise BadAnswer("bootstrap", "data", str(error)) from error
        return InitialStates(
            CLIENT_TYPE,
            client_state.latest_height,
            encode_client_state(client_state),
            encode_consensus_state(consensus_state),
            root,
        )

    async def _check_rotation(self, period: int) -> None:
        """The update which brings the next committee proves the router as well: no client could use it else."""
        for served in await self._api.updates(period):  # none while the period is young: its first comes later
            if self._network.period_at(served.update.finalized_slot) == period:
                await self._router_at(
                    finalized_header_of(served),
                    "its update is the one that brings the next sync committee: where the router is younger, wait for the"
                    " next committee period",
                )

    async def _router_at(self, header: LightClientHeader, why: str) -> AccountProof:
        """Of a finalized header. Raises HeightUnavailable with `why` where the execution nodes do not prove the router."""
        block = NamedBlock.of_payload(execution_of(header))
        await self.blocks.finalized(block)
        try:
            return await self._proofs.account(block.number)
        except (EndpointUnavailable, HeightUnavailable) as error:
            raise HeightUnavailable(
                self._chain, header.beacon.slot, f"the router is not proven in its state ({error}); {why}"
            ) from error
