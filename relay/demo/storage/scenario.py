"""What happens in the demo of trusted storage, in order, by the commands and doors that a person uses."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx
import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.demo.identity.commands import Commands
from hutong.relay.demo.identity.ground import HUB_NAME, Running, follow_hub, start
from hutong.relay.demo.identity.report import Outcome, Report
from hutong.relay.demo.storage.governance import Governance, open_governance
from hutong.relay.demo.storage.liar import drop, lie
from hutong.relay.demo.storage.operators import (
    PLACED,
    VERSITYGW,
    DemoOperator,
    S3Engine,
    begin_operators,
    serve_operators,
    start_engine,
)
from hutong.relay.demo.storage.programs import Program, run_program
from hutong.relay.hub.application.admin import (
    name_storage_operator_action,
    name_storage_party_action,
    set_storage_action,
    set_storage_operator_state_action,
)
from hutong.relay.local.hub import CHAIN_ID
from hutong.relay.local.processes import DemoFailed
from hutong.relay.services.storage.gateway.beginning import BegunGateway, NewGateway, NewOperator, begin_gateway
from hutong.relay.services.storage.gateway.beginning import add_operator as add_to_gateway
from hutong.relay.services.storage.repairer.beginning import BegunRepairer, add_owner, begin_repairer
from hutong.relay.services.storage.repairer.beginning import add_operator as add_to_repairer
from hutong.relay.services.storage.rules.calls import GET_RECORD, STORAGE_ADDRESS
from hutong.relay.services.storage.rules.records.batches import decode_log_record
from hutong.relay.services.storage.rules.records.keys import CLOCK_KEY, log_key, set_key, verdict_key
from hutong.relay.services.storage.rules.records.members import OperatorState, PartyRole
from hutong.relay.services.storage.rules.records.parameters import Parameters, parameter_values
from hutong.relay.services.storage.rules.records.rounds import Phase, decode_clock_record
from hutong.relay.services.storage.rules.records.values import Outcome as Verdict
from hutong.relay.services.storage.rules.records.values import decode_set_record, decode_verdict_record

STEPS: Final = (
    "start",
    "connect",
    "govern",
    "serve",
    "put",
    "audit",
    "liar",
    "other chain accepts",
    "other chain refuses",
    "repair",
    "kill",
    "get",
)
KILLED: Final = 4
OBJECT_BYTES: Final = 24_000_000
PROBES: Final = 16
EPOCH: Final = 2
"""The first one passes before anything is stored but a bucket. The object is in this one where it was stored within QUICK.epoch_s."""
QUICK: Final = Parameters(
    epoch_s=25, cut_blocks=1, reveal_s=1, deadline_s=1, probes=PROBES, full_probes=PROBES, full_every=1_000
)
AUDITED: Final = Parameters(
    epoch_s=25, cut_blocks=6, reveal_s=60, deadline_s=240, probes=PROBES, full_probes=PROBES, full_every=1_000
)
WAIT_S: Final = 400
POLL_S: Final = 0.5
PLACE: Final = "museum/film"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part. The last of `operators` is in nobody's place until the liar's shards are given to it."""

    running: Running
    operators: Sequence[DemoOperator]
    gateway: BegunGateway
    repairer: BegunRepairer
    audit: str
    client: str

    @property
    def liar(self) -> DemoOperator:
        """It stores in a folder, and drops it."""
        return self.operators[0]

    @property
    def relief(self) -> DemoOperator:
        """It comes in the liar's place."""
        return self.operators[PLACED]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run. `versitygw` is the program, None where there is none."""

    home: Path
    commands: Commands
    report: Report
    versitygw: Path | None

    async def run(self, nursery: trio.Nursery) -> None:
        """To the last step; the report says whether each is as it should be.

        Args:
            nursery: owns the processes.

        Raises:
            DemoFailed: a step could not be taken.
        """
        with self.report.step("start") as outcome:
            running = await start(nursery, self.home)
            engine = None if self.versitygw is None else await start_engine(nursery, self.home, self.versitygw)
            said = f"and {VERSITYGW}, an S3 engine" if engine else f"; {VERSITYGW} is not here: all store in folders"
            outcome.say(f"a hub and a dev chain make blocks {said}", engine_kinds=2 if engine else 1)
        with self.report.step("connect") as outcome:
            audit, client = await self._connect(running)
            outcome.say("the dev chain follows the hub and has a StorageAudit")
        async with open_governance(running) as governance:
            with self.report.step("govern") as outcome:
                cast = await self._govern(governance, running, engine, audit, client, outcome)
            with self.report.step("serve") as outcome:
                url = await self._serve(nursery, cast, engine)
                outcome.say(
                    f"{PLACED} operators of {7} organisations, one more to come, a gateway and an auditor serve"
                )
            content = await self._put(governance, cast, url)
            await self._audited(governance, cast)
            await self._lied(governance, cast)
            await self._elsewhere(cast)
            await self._repaired(governance, cast)
        await self._killed_and_got(cast, url, content)

    async def _connect(self, running: Running) -> tuple[str, str]:
        chain, deployment = await follow_hub(running)
        place, paid = (*running.chain_options, "--json"), running.plan.owner.options
        router = ("--router", deployment["router"], "--client", chain.hub_client)
        reader = json.loads(await self.commands.run("reader", "deploy", *place, *router, *paid))["reader"]
        made = await self.commands.run("storage", "deploy-audit", *place, "--reader", reader, *paid)
        return str(json.loads(made)["audit"]), str(chain.hub_client)

    async def _govern(
        self,
        governance: Governance,
        running: Running,
        engine: S3Engine | None,
        audit: str,
        client: str,
        outcome: Outcome,
    ) -> Cast:
        home, hub = self.home, (running.hub_url, running.consensus_url)
        new = NewGateway(home / "gateway", CHAIN_ID, "127.0.0.1:0", 10, 4, *hub)
        gateway = await trio.to_thread.run_sync(begin_gateway, new)
        repairer = await trio.to_thread.run_sync(begin_repairer, home / "repairer", CHAIN_ID, *hub)
        operators = await begin_operators(running, gateway.writer, repairer.repairer, PLACED + 1, engine)
        checkpoint = home / "hub.checkpoint.json"
        await self.commands.run(
            "audit", "checkpoint", "--config", running.config, "--chain", HUB_NAME, "-o", checkpoint
        )
        begin = ("--home", home / "auditor", "--chain-id", CHAIN_ID, "--checkpoint", checkpoint)
        ends = ("--rpc", hub[0], "--consensus-rpc", hub[1], "--json")
        auditor = json.loads(await self.commands.run("storage", "auditor", "init", *begin, *ends))
        parties = [
            (PartyRole.WRITER, gateway.writer, gateway.account),
            (PartyRole.REPAIRER, repairer.repairer, repairer.account),
            (PartyRole.AUDITOR, auditor["auditor"], auditor["account"]),
        ]
        await governance.decide(
            set_storage_action(1, parameter_values(QUICK)),
            *(
                name_storage_party_action(
                    10 + int(role), int(role), bytes.fromhex(party), bytes.fromhex(account.removeprefix("0x"))
                )
                for role, party, account in parties
            ),
            *(
                name_storage_operator_action(100 + one.number, one.operator, one.account, one.labels, 1)
                for one in operators
            ),
        )
        active = [self._active(one) for one in operators[:PLACED]]
        await governance.decide(*active)
        outcome.say(
            f"admins registered {len(operators)} operators, {PLACED} of them active, a writer, an auditor and a repairer"
        )
        return Cast(running, operators, gateway, repairer, audit, client)

    def _active(self, one: DemoOperator) -> bytes:
        return set_storage_operator_state_action(200 + one.number, one.operator, int(OperatorState.ACTIVE))

    async def _serve(self, nursery: trio.Nursery, cast: Cast, engine: S3Engine | None) -> str:
        """Where the gateway is."""
        auditor = self.home / "auditor" / "auditor.toml"
        auditor.write_text(auditor.read_text().replace("[hub]\n", "[hub]\ninterval_s = 1\n"))
        await nursery.start(
            run_program, "auditor", ["storage", "auditor", "run", "--config", str(auditor)], self.home / "auditor.log"
        )
        await serve_operators(nursery, cast.operators, engine)
        for one in cast.operators:
            add_to_gateway(cast.gateway.config, NewOperator(one.operator.hex(), one.url, None, "none", "none"))
            add_to_repairer(cast.repairer.config, one.operator.hex(), one.url)
        root = self.home / "museum.root"
        await self.commands.run("storage", "gateway", "repair-root", "--config", cast.gateway.config, "--out", root)
        add_owner(cast.repairer.config, cast.gateway.writer, root)
        run = ["storage", "gateway", "run", "--config", str(cast.gateway.config)]
        gateway: Program = await nursery.start(run_program, "gateway", run, self.home / "gateway.log")
        return await gateway.url()

    def _client(self, cast: Cast, url: str) -> tuple[object, ...]:
        key = self.home / "museum.key"
        if not key.exists():
            key.write_text(cast.gateway.api_key)
            key.chmod(0o600)
        return ("--url", url, "--key-file", key)

    async def _put(self, governance: Governance, cast: Cast, url: str) -> bytes:
        """The SHA-256 of what was stored."""
        with self.report.step("put") as outcome:
            await self.commands.run("storage", "mb", "museum", *self._client(cast, url))
            await governance.decide(set_storage_action(2, parameter_values(AUDITED)))
            octets = os.urandom(OBJECT_BYTES)
            file = self.home / "film"
            await trio.to_thread.run_sync(file.write_bytes, octets)
            began = trio.current_time()
            await self.commands.run("storage", "put", file, PLACE, *self._client(cast, url))
            took = trio.current_time() - began
            outcome.say(
                f"{OBJECT_BYTES // 10**6} MB in fourteen shards a pack, on the hub once twelve operators had receipted",
                bytes=OBJECT_BYTES,
                put_s=round(took, 1),
            )
            await self._until_followed(governance, cast.liar)
            await drop(cast.liar)
        return sha256(octets).digest()

    async def _until_followed(self, governance: Governance, one: DemoOperator) -> None:
        """Until the operator knows of its log what the hub has: what is dropped later it was asked to hold."""
        value = await self._record(governance, log_key(one.operator))
        size = 0 if value is None else decode_log_record(value).size
        with trio.move_on_after(WAIT_S):
            async with httpx.AsyncClient(base_url=one.url, trust_env=False, timeout=30) as client:
                while True:
                    if (await client.get("/v1/log?first=0&count=1")).json()["size"] >= size:
                        return
                    await trio.sleep(POLL_S)
        raise DemoFailed(f"{one.home.name} does not follow the hub")

    async def _audited(self, governance: Governance, cast: Cast) -> None:
        with self.report.step("audit") as outcome:
            await self._until_answering(governance)
            honest = cast.operators[1:PLACED]
            verdicts: Mapping[bytes, Verdict] = {}
            with trio.move_on_after(WAIT_S):
                while len(verdicts) < len(honest):
                    verdicts = await self._verdicts(governance, honest)
                    await trio.sleep(POLL_S)
            passed = sum(1 for one in verdicts.values() if one is Verdict.PASSED)
            held = await self._record(governance, set_key(honest[0].operator, EPOCH))
            leaves = 0 if held is None else decode_set_record(held).operator_set.leaves
            outcome.say(
                f"{passed} of {len(honest)} honest operators passed, each asked {PROBES} probes by a seed nobody chose",
                good=passed == len(honest),
                leaves_each=leaves,
            )

    async def _until_answering(self, governance: Governance) -> None:
        with trio.move_on_after(WAIT_S):
            while True:
                value = await self._record(governance, CLOCK_KEY)
                clock = None if value is None else decode_clock_record(value)
                if clock is not None and (clock.epoch, clock.phase) == (EPOCH, Phase.ANSWERING):
                    return
                if clock is not None and clock.epoch > EPOCH:
                    break
                await trio.sleep(POLL_S)
        raise DemoFailed(f"the hub did not come to audit in epoch {EPOCH}; see auditor.log")

    async def _verdicts(self, governance: Governance, operators: Sequence[DemoOperator]) -> dict[bytes, Verdict]:
        found = {}
        for one in operators:
            value = await self._record(governance, verdict_key(one.operator, EPOCH))
            if value is not None:
                found[one.operator] = decode_verdict_record(value).outcome
        return found

    async def _record(self, governance: Governance, key: bytes) -> bytes | None:
        try:
            (value,) = GET_RECORD.read(await governance.chain.execution.call(STORAGE_ADDRESS, GET_RECORD.encode(key)))
        except MalformedInput as error:
            raise DemoFailed(f"the hub's answer is not one: {error}") from None
        return bytes(value) or None

    async def _lied(self, governance: Governance, cast: Cast) -> None:
        with self.report.step("liar") as outcome:
            await lie(cast.liar, EPOCH)
            verdict = (await self._verdicts(governance, [cast.liar])).get(cast.liar.operator)
            said = "no verdict" if verdict is None else verdict.name.lower()
            outcome.say(
                f"an operator dropped its shards and answers with made-up bytes under its signature: {said} at once",
                good=verdict is Verdict.FAILED,
            )

    async def _elsewhere(self, cast: Cast) -> None:
        running = cast.running
        end = ("--chain", running.plan.name, "--client", cast.client, "--follows", HUB_NAME)
        update = ("client", "update", "--config", running.config, *end, *running.plan.owner.options)
        with self.report.step("other chain accepts") as outcome:
            await self.commands.run(*update)
            said = await self._judged(cast, cast.operators[1])
            outcome.say(
                f"StorageAudit takes an honest operator's verdict under the hub's header {said.get('header')}",
                good=said.get("accepted") is True,
            )
        with self.report.step("other chain refuses") as outcome:
            said = await self._judged(cast, cast.liar)
            refusal = said.get("refusal") or {}
            outcome.say(f"and refuses the liar's: {refusal.get('name')}", good=refusal.get("name") == "AuditNotPassed")

    async def _judged(self, cast: Cast, one: DemoOperator) -> dict[str, Any]:
        asked = (one.operator.hex(), EPOCH, "--config", cast.running.config, "--on", cast.running.plan.name)
        ran = await self.commands.attempt("storage", "verdict", *asked, "--audit", cast.audit, "--json")
        try:
            found: dict[str, Any] = json.loads(ran.out)
        except ValueError:
            raise DemoFailed(f"hutong storage verdict said nothing of {one.home.name}: {ran.said}") from None
        return found

    async def _repaired(self, governance: Governance, cast: Cast) -> None:
        with self.report.step("repair") as outcome:
            await governance.decide(self._active(cast.relief))
            ran = await self.commands.attempt("storage", "repairer", "once", "--config", cast.repairer.config, "--json")
            try:
                said = json.loads(ran.out)
            except ValueError:
                raise DemoFailed(f"hutong storage repairer once said: {ran.said}") from None
            outcome.say(
                "the liar's shards are rebuilt out of ten others, without a key of objects, and held by a fifteenth"
                " operator under the same roots",
                good=ran.code == 0 and said["left_parts"] == 0 and said["mended_parts"] > 0,
                shards=said["mended_shards"],
                bytes=said["mended_bytes"],
                repair_s=said["seconds"],
            )

    async def _killed_and_got(self, cast: Cast, url: str, content: bytes) -> None:
        with self.report.step("kill") as outcome:
            killed = cast.operators[1 : 1 + KILLED]
            for one in killed:
                if one.program is not None:
                    await one.program.kill()
            kinds = sorted({one.engine for one in killed})
            outcome.say(f"{KILLED} operators are killed ({' and '.join(kinds)}); the liar is gone already")
        with self.report.step("get") as outcome:
            back = self.home / "film.back"
            began = trio.current_time()
            await self.commands.run("storage", "get", PLACE, "--out", back, *self._client(cast, url))
            took = trio.current_time() - began
            found = sha256(await trio.to_thread.run_sync(back.read_bytes)).digest()
            outcome.say(
                "the object is read back whole, byte for byte, out of nine operators and the one that was repaired",
                good=found == content,
                get_s=round(took, 1),
            )
