"""The city's start: the commands that bring it up, in order, the same ones that the documentation prints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import trio

from hutong.contracts.apps import App
from hutong.relay.base.durable_files import create_durably
from hutong.relay.city.anvil import anvil_daemon, fund
from hutong.relay.city.attestors import Attestor, attestor_options, make_attestors
from hutong.relay.city.cosmos import CosmosMember, cosmos_daemon, plan_cosmos
from hutong.relay.city.document import CityFacts, LeftOut, MemberChain, SignedLog, write_city_files
from hutong.relay.city.home import CityHome
from hutong.relay.city.keeping import Keeper
from hutong.relay.city.organising import ROOT_NAME, CityOrganising
from hutong.relay.city.people import Person, make_people
from hutong.relay.city.plan import CHAINS, COSMOS_NAME, HUB_NAME, LOG_NAME, OBSERVED_KEYS, Belief, CityChain, CityPlan
from hutong.relay.city.reader import deploy_reader
from hutong.relay.city.signed_log import create_log_client, log_daemon, log_table, read_trusted
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.config_file import (
    api_table,
    attested_by,
    chain_table,
    hub_table,
    path_table,
    patient,
    relay_table,
    write_private,
)
from hutong.relay.local.hub import CHAIN_ID, EmbeddedEngine, Hub, HubEngine, start_hub
from hutong.relay.local.keys import make_key
from hutong.relay.local.member import (
    ChainPlan,
    ask_for_height,
    connect,
    contract_options,
    deploy,
    each,
    introduce,
    member,
)
from hutong.relay.local.network import relay_daemon
from hutong.relay.local.network_hub import NetworkEngine
from hutong.relay.local.processes import Daemon, run_command

API_KEY_NAME = "city"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Member:
    """An EVM chain while it is being connected."""

    city: CityChain
    plan: ChainPlan
    deployment: dict[str, str] = field(default_factory=dict)
    path: dict[str, Any] = field(default_factory=dict)

    @property
    def chain(self) -> DemoChain:
        """As its users see it."""
        return member(self.plan, self.deployment, self.path)


@dataclass(frozen=True, slots=True)
class CityStart:
    """One start of a city. `run` returns when it is up, with every process in the keeper's hands."""

    home: CityHome
    plan: CityPlan
    keeper: Keeper
    say: Say

    async def run(self) -> None:
        """Start everything and write the city's files.

        Raises:
            DemoFailed: a command failed, or a process ended or did not serve in time.
            RuntimeError, web3.exceptions.TimeExhausted: a chain refused a contract.
            OSError: a file cannot be written.
        """
        people = make_people(self.home.keys)
        members, cosmos = [self._planned(chain) for chain in CHAINS], self._planned_cosmos(people)
        hub = await self._start_chains(members, cosmos, people)
        self.say("deploying router, Mailbox, Transfer, Title, Swap, Feed and Anchor onto each EVM chain, as its owner")
        members = await each(self._deployed, members)
        attestors = make_attestors(self.home.path, self.plan.attestor_names, self.plan.attestor_ports)
        trusted = read_trusted(self.home.path)
        tables = self._chain_tables(members, hub, attestors) + log_table(self._log_url, trusted)
        tables += "" if cosmos is None else cosmos.table
        administration = self.home.path / "administration.toml"
        write_private(administration, relay_table(self.home.path) + patient(tables))
        members = await self._connected(administration, members, hub, attestors)
        cosmos = await self._connected_cosmos(administration, cosmos, hub)
        self.say(f"creating the hub's client of {LOG_NAME}")
        log = SignedLog(LOG_NAME, self._log_url, await create_log_client(administration, hub.admins), trusted)
        kept = log_table(self._log_url, trusted, log.hub_client)
        tables = tables.replace(log_table(self._log_url, trusted), kept)
        paths = [one.path for one in members] + ([] if cosmos is None else [cosmos.path])
        tables += "".join(map(path_table, paths))
        write_private(administration, relay_table(self.home.path) + patient(tables))
        equipped, root_did = await self._finished(administration, members, (cosmos, log), tables)
        facts = CityFacts(self.plan, hub, equipped, cosmos, log, people, root_did, self._left_out())
        write_city_files(self.home, facts)

    async def _finished(
        self, administration: Path, members: list[Member], others: tuple[CosmosMember | None, SignedLog], tables: str
    ) -> tuple[tuple[MemberChain, ...], str]:
        """Readers, peers, relay, checkpoints and the root of accreditation, of which none waits for another."""
        cosmos, log = others
        names = [HUB_NAME, *(one.city.name for one in members), LOG_NAME, *([] if cosmos is None else [COSMOS_NAME])]
        equipped: list[MemberChain] = []
        roots: list[str] = []

        async def equip() -> None:
            equipped.extend(await self._equipped(administration, members, log))

        async def found_root() -> None:
            self.say(f"registering {ROOT_NAME} on the hub, the root of accreditation")
            roots.append((await CityOrganising(self.home, administration).found_root()).did)

        async with trio.open_nursery() as finishing:
            finishing.start_soon(self._start_relay, tables)
            finishing.start_soon(equip)
            finishing.start_soon(found_root)
            finishing.start_soon(self._take_checkpoints, administration, names)
        return tuple(equipped), roots[0]

    def _left_out(self) -> tuple[LeftOut, ...]:
        if self.plan.outside.simd is not None:
            return ()
        return (LeftOut(COSMOS_NAME, "no simd was given (hutong city up --simd PATH)"),)

    @property
    def _log_url(self) -> str:
        return f"http://127.0.0.1:{self.plan.log_port}"

    def _planned(self, chain: CityChain) -> Member:
        owner, relayer = (make_key(self.home.path, f"{role}-{chain.name}") for role in ("owner", "relayer"))
        return Member(chain, ChainPlan(chain.name, chain.chain_id, self.plan.port_of(chain), owner, relayer))

    def _planned_cosmos(self, people: tuple[Person, ...]) -> CosmosMember | None:
        program = self.plan.outside.simd
        return None if program is None else plan_cosmos(self.home.path, program, self.plan.cosmos_ports, people)

    async def _start_chains(
        self, members: list[Member], cosmos: CosmosMember | None, people: tuple[Person, ...]
    ) -> Hub:
        hubs: list[Hub] = []

        async def start_the_hub() -> None:
            count = self.plan.size.validators
            who = "1 validator, which believes" if count == 1 else f"{count} validators, which believe"
            self.say(f"starting hub: {who} proofs alone")
            hubs.append(await start_hub(self.keeper.nursery, self.home.path, self._engine(), OBSERVED_KEYS))

        async with trio.open_nursery() as starting:
            for one in members:
                starting.start_soon(self._start_chain, one, people)
            starting.start_soon(self._start_log)
            if cosmos is not None:
                starting.start_soon(self._start_cosmos, cosmos)
            starting.start_soon(start_the_hub)
        return hubs[0]

    def _engine(self) -> HubEngine:
        if self.plan.size.validators == 1:
            return EmbeddedEngine((self.plan.hub_port + 1, self.plan.hub_port + 2), self._run_validator)
        return NetworkEngine(self.plan.size.validators, self.plan.hub_port, self._run_validator)

    async def _run_validator(
        self, daemon: Daemon, /, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        self.keeper.note(daemon, "a validator of the hub")
        await self.keeper.run(daemon, task_status=task_status)

    async def _start_chain(self, one: Member, people: tuple[Person, ...]) -> None:
        funded = [person.address for person in people]
        anvil = self.plan.outside.anvil
        if anvil is not None and one.city.belief is Belief.ATTESTED:
            self.say(f"starting {one.city.name}: an anvil, which attestors speak for")
            await self.keeper.start(
                anvil_daemon(self.home.path, one.plan, anvil), "an anvil, which attestors speak for"
            )
            await fund(one.plan, [one.plan.owner.address, one.plan.relayer.address, *funded])
            return
        self.say(f"starting {one.city.name}: {one.city.purpose}")
        arguments = [*one.plan.start_funding(self.home.path, funded), "--consensus", one.city.consensus]
        log = self.home.path / f"{one.city.name}.log"
        await self.keeper.start(Daemon(one.city.name, arguments, log, ask_for_height(one.plan.url)), one.city.purpose)

    async def _start_cosmos(self, member: CosmosMember) -> None:
        purpose = "a stock Cosmos chain (simd of ibc-go)"
        self.say(f"starting {COSMOS_NAME}: {purpose}")
        await self.keeper.start(await cosmos_daemon(self.home.path, member), purpose)

    async def _start_log(self) -> None:
        purpose = "a signed log: a department with a database and no blockchain"
        self.say(f"starting {LOG_NAME}: {purpose}")
        await self.keeper.start(log_daemon(self.home.path, self.plan.log_port), purpose)

    async def _deployed(self, one: Member) -> Member:
        return replace(one, deployment=await deploy(one.plan, [app.value for app in App]))

    def _chain_tables(self, members: list[Member], hub: Hub, attestors: tuple[Attestor, ...]) -> str:
        tables = []
        for one in members:
            belief = (
                attested_by([attestor.port for attestor in attestors])
                if one.city.belief is Belief.ATTESTED
                else f'consensus = "{one.city.consensus}"\n'
            )
            router, height = one.deployment["router"], int(one.deployment["height"])
            plan = one.plan
            tables.append(chain_table(plan.name, plan.chain_id, plan.port, router, height, plan.relayer, belief=belief))
        running = hub.running
        return "".join(tables) + hub_table(CHAIN_ID, running.ethereum_ports, running.cometbft_ports, hub.relayer)

    async def _connected(
        self, administration: Path, members: list[Member], hub: Hub, attestors: tuple[Attestor, ...]
    ) -> list[Member]:
        """One after another, since the hub's admins sign for each; attestors come up meanwhile."""
        connected = []
        async with trio.open_nursery() as starting:
            for one in members:
                self.say(f"connecting {one.city.name}: the hub's client of it, and its client of the hub")
                options = contract_options(one.deployment)
                if one.city.belief is Belief.ATTESTED:
                    options += attestor_options(attestors, self.plan.size.threshold)
                path = await connect(administration, one.city.name, one.plan.owner, hub.admins, *options)
                connected.append(replace(one, path=dict(path)))
                if one.city.belief is Belief.ATTESTED:
                    starting.start_soon(self._start_attestors, connected[-1], attestors)
        return connected

    async def _connected_cosmos(
        self, administration: Path, member: CosmosMember | None, hub: Hub
    ) -> CosmosMember | None:
        if member is None:
            return None
        self.say(f"connecting {COSMOS_NAME}: the hub's client of it, and its client of the hub")
        return replace(member, path=await connect(administration, COSMOS_NAME, member.relayer, hub.admins))

    async def _start_attestors(self, one: Member, attestors: tuple[Attestor, ...]) -> None:
        size = self.plan.size
        name = one.city.name
        self.say(
            f"starting 1 attestor of {name}, which must sign"
            if size.attestors == 1
            else f"starting {size.attestors} attestors of {name}, of which {size.threshold} must sign"
        )
        (signs_for,) = one.path["destinations"]

        async def start(attestor: Attestor) -> None:
            configuration = attestor.configuration(self.home.path, one.plan, one.deployment["router"], signs_for)
            daemon = attestor.daemon(self.home.path, configuration)
            await self.keeper.start(daemon, f"speaks for {one.city.name}")

        await each(start, attestors)

    async def _equipped(self, administration: Path, members: list[Member], log: SignedLog) -> list[MemberChain]:
        self.say("deploying a HubReader onto each EVM chain, and naming its peers")
        peers = [*(one.chain for one in members), log.as_peer]

        async def equip(one: Member) -> MemberChain:
            chain, deployed = one.chain, one.deployment
            contracts = {name: address for name, address in deployed.items() if name != "height"}
            reader = await deploy_reader(one.plan, chain)
            await introduce(administration, one.plan, chain, peers)
            return MemberChain(chain, one.city.belief, {**contracts, "reader": reader})

        return await each(equip, members)

    async def _start_relay(self, tables: str) -> None:
        purpose = "carries packets and records between the chains, and serves the API"
        self.say(f"starting relay: {purpose}")
        config = self.home.path / "relay.toml"
        plan = self.plan
        write_private(
            config, relay_table(self.home.path, plan.relay_port) + api_table(plan.api_port, cases=True) + tables
        )
        key = await run_command(["api", "keys", "create", "--config", str(config), API_KEY_NAME, "--scope", "write"])
        create_durably(self.home.keys / "api.key", f"{key.split()[-1]}\n".encode())
        await self.keeper.start(relay_daemon(self.home.path, config, plan.relay_port), purpose)

    async def _take_checkpoints(self, administration: Path, names: Sequence[str]) -> None:
        self.say("writing down a checkpoint of each chain, which the auditor of the cases begins with")
        self.home.checkpoints.mkdir(mode=0o700)

        async def take(name: str) -> None:
            file = str(self.home.checkpoint_of(name))
            await run_command(["audit", "checkpoint", "--config", str(administration), "--chain", name, "-o", file])

        await each(take, names)
