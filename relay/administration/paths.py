"""Making the two clients of a path, each as the other's counterparty."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from hutong.relay.administration.beginnings import Agreement, Beginning, Pin, beginning_of
from hutong.relay.administration.clients.finality import until_final
from hutong.relay.administration.decision_delay import longest_delay_s, require_outliving
from hutong.relay.administration.hub.trust import approve
from hutong.relay.administration.path_joining import join
from hutong.relay.administration.path_sides import Begun, Hub, Side
from hutong.relay.administration.submission import new_salt
from hutong.relay.administration.waiting_clients import require_none_waits
from hutong.relay.config import EvmChainConfig, HubChainConfig
from hutong.relay.keys import Signer

if TYPE_CHECKING:
    from hutong.adapters.evm import EvmChain
    from hutong.adapters.interface import ClientParameters, InitialStates


@dataclass(frozen=True, slots=True)
class Trust:
    """Parameters of both new clients. `block_root` and `min_participants` are for an Ethereum chain's alone."""

    trusting_period_s: int
    unbonding_period_s: int
    max_clock_drift_s: int
    block_root: bytes | None = None
    min_participants: int | None = None


@dataclass(frozen=True, slots=True)
class AttestorSet:
    """Whom others believe about an attested chain: `threshold` of these addresses."""

    addresses: tuple[bytes, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class Member:
    """An EVM chain of a path, with what its side of it needs. `attestors` are those that speak for it, if any do.

    `forwarding`: its other applications that shall send over the hub, such as its Transfer.
    """

    config: EvmChainConfig
    owner: Signer
    mailbox: str | None
    attestors: AttestorSet | None
    forwarding: tuple[str, ...] = ()
    decides_as: bytes | None = None
    """Whose rights the owner's calls go by where that is another account: then they are written down for it."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A client that attestors of `source` must be configured to sign for."""

    source: str
    chain_id: str
    router: str
    client: str


@dataclass(frozen=True, slots=True)
class CreatedPath:
    """(chain name, client) of both ends, what attestors must learn, and from where the clients begin."""

    a: tuple[str, str]
    b: tuple[str, str]
    destinations: tuple[Destination, ...] = ()
    beginnings: tuple[Beginning, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The fields that `--json` prints; what attestors must learn and the beginnings only where there are any."""
        document: dict[str, Any] = {
            side: {"chain": chain, "client": client} for side, (chain, client) in (("a", self.a), ("b", self.b))
        }
        if self.destinations:
            document["destinations"] = [asdict(destination) for destination in self.destinations]
        if self.beginnings:
            document["begins"] = [
                {"on": one.host, "of": one.followed, "height": one.height, "hash": f"0x{one.block_hash.hex()}"}
                for one in self.beginnings
            ]
        return document


async def create_with_hub(
    member: Member,
    hub: HubChainConfig,
    admins: Sequence[Signer],
    trust: Trust,
    agreement: Agreement,
    random: Random,
) -> CreatedPath:
    """Make the clients of a chain and a hub, from agreed blocks; all that can be asked is asked before anything is sent.

    Raises:
        NotConfirmed, OtherBeginning: about the blocks that they would begin at.
        ExpiresBefore: they would have expired when what the chain's admin decides takes effect.
        AlreadyBegun: an earlier run has made them, and its decisions wait.
        Undecided: as `join`.
        RefusedByChain: who decides may not, or a chain refuses a transaction. AdapterError: a chain does not answer.
    """
    from hutong.adapters.evm import EvmChain
    from hutong.adapters.evm.administration.deploy import require_contract
    from hutong.adapters.hub import HubChain
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.relay.core.topology.chains import open_chain

    evm = member.config
    async with open_chain(evm, random) as chain, open_chain(hub, random) as hub_chain:
        if not isinstance(chain, EvmChain) or not isinstance(hub_chain, HubChain):
            raise TypeError("an EVM chain and a hub")
        await chain.check_identity()
        await hub_chain.check_identity()
        hub_evm_id = await hub_chain.eth_chain_id()
        transactors = [Transactor(hub_chain.execution, hub_evm_id, admin) for admin in admins]
        side = _side(member, chain)
        for app in side.apps:
            await require_contract(side.owning, app)
        delay_s = await longest_delay_s(side)
        if evm.consensus != "ethereum":
            await until_final(chain, evm.start_height, "the router's block (start_height)")
        foreseen = await hub_chain.next_client_id(evm.client_type)
        of_chain = _parameters(trust, member.attestors, hub.chain_id, hub.router, foreseen, begin=agreement.chain)
        for_hub = await chain.initial_states(evm.client_type, of_chain)
        for_chain = await hub_chain.initial_states("07-tendermint", _parameters(trust, begin=agreement.hub))
        await require_outliving(side, delay_s, (for_hub, for_chain))
        if (delay_s or member.decides_as is not None) and not agreement.anew:
            await require_none_waits(hub_chain, evm.name, for_hub)
        by_root = trust.block_root is not None
        beginnings = (
            beginning_of(hub.name, evm.name, for_hub, agreement.chain, by_root=by_root),
            beginning_of(evm.name, hub.name, for_chain, agreement.hub),
        )
        await agreement.confirm(beginnings)
        hub_side = Hub(hub, hub_chain, transactors)
        begun = await _make_clients(side, hub_side, for_hub, for_chain)
        on_chain = await join(side, hub_side, begun)
    return _created(member, hub, on_chain, begun.on_hub, beginnings)


async def _make_clients(side: Side, hub: Hub, for_hub: "InitialStates", for_chain: "InitialStates") -> Begun:
    """The hub's client and the chain's light client contract, at the same time; neither knows of the other yet."""
    from hutong.adapters.evm.administration.deploy import deploy_hub_client
    from hutong.adapters.hub.admin import create_client, created_client
    from hutong.adapters.rpc import all_of

    ids: dict[str, str] = {}
    contracts: dict[str, bytes] = {}

    async def open_on_hub(states: "InitialStates") -> None:
        action = create_client(new_salt(), states.client_type, states.client_state, states.consensus_state)
        ids["hub"] = created_client(await approve(hub.config, hub.chain, list(hub.admins), action))

    async def deploy_on_chain(states: "InitialStates") -> None:
        contracts["client"] = await deploy_hub_client(side.owning, states)

    await all_of([(open_on_hub, for_hub), (deploy_on_chain, for_chain)])
    return Begun(ids["hub"], contracts["client"])


async def continue_with_hub(
    member: Member, hub: HubChainConfig, admins: Sequence[Signer], begun: Begun, random: Random
) -> CreatedPath:
    """Go on with a path whose clients an earlier run has made, once what the chain's admin decided has taken effect.

    Raises:
        RefusedByChain: a chain refuses a transaction.
        Undecided, ExpiresBefore: as `join`.
        UnknownClient: the hub has no such client.
        AdapterError: a chain does not answer, or a contract is not there.
    """
    from hutong.adapters.evm import EvmChain
    from hutong.adapters.evm.administration.deploy import require_contract
    from hutong.adapters.hub import HubChain
    from hutong.adapters.ics26.transactor import Transactor
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(member.config, random) as chain, open_chain(hub, random) as hub_chain:
        if not isinstance(chain, EvmChain) or not isinstance(hub_chain, HubChain):
            raise TypeError("an EVM chain and a hub")
        await chain.check_identity()
        await hub_chain.check_identity()
        hub_evm_id = await hub_chain.eth_chain_id()
        transactors = [Transactor(hub_chain.execution, hub_evm_id, admin) for admin in admins]
        side = _side(member, chain)
        for contract in (begun.light_client, *side.apps):
            await require_contract(side.owning, contract)
        await hub_chain.client(begun.on_hub)
        on_chain = await join(side, Hub(hub, hub_chain, transactors), begun)
    return _created(member, hub, on_chain, begun.on_hub, ())


def _side(member: Member, chain: "EvmChain") -> Side:
    from eth_utils.address import to_canonical_address

    from hutong.adapters.evm.administration.deciding import Deciding

    evm = member.config
    owning = Deciding(chain.execution, evm.chain_id, member.owner, member.decides_as)
    named = (*(() if member.mailbox is None else (member.mailbox,)), *member.forwarding)
    apps = tuple(bytes(to_canonical_address(app)) for app in named)
    return Side(chain, owning, bytes(to_canonical_address(evm.router)), apps)


def _created(
    member: Member, hub: HubChainConfig, on_chain: str, on_hub: str, beginnings: "tuple[Beginning, ...]"
) -> CreatedPath:
    evm = member.config
    destinations: tuple[Destination, ...] = ()
    if member.attestors is not None:
        destinations = (Destination(evm.name, hub.chain_id, hub.router, on_hub),)
    return CreatedPath((evm.name, on_chain), (hub.name, on_hub), destinations, beginnings)


async def create_direct(a: Member, b: Member, trust: Trust, random: Random) -> CreatedPath:
    """Clients of each other on two attested chains, and their Mailboxes each other's direct peers.

    Both identifiers are foreseen: another registration in between makes the routers refuse. What was made before an
    error stays.

    Raises:
        RefusedByChain: a chain refuses a transaction.
        AdapterError: a chain does not answer.
    """
    from hutong.adapters.evm import EvmChain
    from hutong.adapters.rpc import all_of
    from hutong.relay.core.topology.chains import open_chain

    async with open_chain(a.config, random) as chain_a, open_chain(b.config, random) as chain_b:
        if not isinstance(chain_a, EvmChain) or not isinstance(chain_b, EvmChain):
            raise TypeError("two EVM chains")
        await chain_a.check_identity()
        await chain_b.check_identity()
        on_a, on_b = await chain_a.next_client_id(), await chain_b.next_client_id()
        await all_of(
            [
                (_open_end, (chain_a, a, on_a, chain_b, b, on_b, trust)),
                (_open_end, (chain_b, b, on_b, chain_a, a, on_a, trust)),
            ]
        )
    return CreatedPath(
        (a.config.name, on_a),
        (b.config.name, on_b),
        (
            Destination(a.config.name, str(b.config.chain_id), b.config.router, on_b),
            Destination(b.config.name, str(a.config.chain_id), a.config.router, on_a),
        ),
    )


async def _open_end(end: "tuple[EvmChain, Member, str, EvmChain, Member, str, Trust]") -> None:
    """A client of `other` on `chain`, under the identifier that was foreseen."""
    from eth_utils.address import to_canonical_address

    from hutong.adapters.evm.administration.deploy import add_client, deploy_attestation_client, set_direct_peer
    from hutong.adapters.ics26.transactor import Transactor

    chain, member, client_id, other, other_member, other_client_id, trust = end
    config = member.config
    owning = Transactor(chain.execution, config.chain_id, member.owner)
    parameters = _parameters(trust, other_member.attestors, str(config.chain_id), config.router, client_id)
    states = await other.initial_states("attestation", parameters)
    contract = await deploy_attestation_client(owning, states)
    router = to_canonical_address(config.router)
    # the router refuses the contract under any other identifier than the one that its scope names
    await add_client(owning, router, contract, other_client_id, other.merkle_prefix)
    if member.mailbox is not None:
        mailbox = to_canonical_address(member.mailbox)
        await set_direct_peer(owning, mailbox, client_id, other_member.config.name)


def _parameters(
    trust: Trust,
    attestors: AttestorSet | None = None,
    destination_chain_id: str = "",
    destination_router: str = "",
    destination_client_id: str = "",
    *,
    begin: Pin | None = None,
) -> "ClientParameters":
    from eth_utils.address import to_canonical_address

    from hutong.adapters.interface import AttestedBy, ClientParameters

    attested_by = None
    if attestors is not None:
        router = bytes(to_canonical_address(destination_router))
        attested_by = AttestedBy(
            attestors.addresses, attestors.threshold, destination_chain_id, router, destination_client_id
        )
    return ClientParameters(
        trust.trusting_period_s,
        trust.max_clock_drift_s,
        trust.unbonding_period_s,
        attested_by=attested_by,
        trusted_block_root=trust.block_root,
        min_participants=trust.min_participants,
        begin_height=None if begin is None else begin.height,
    )
