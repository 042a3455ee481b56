"""What happens in the demo of identity, in order, by the commands and doors that a person uses."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

import trio

from hutong.light_clients.interface import VerificationError
from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.demo.identity.certificates import Authority
from hutong.relay.demo.identity.commands import Commands
from hutong.relay.demo.identity.daemons import (
    SHOWN,
    TYPE,
    Desk,
    Place,
    fetch_list,
    write_issuer,
    write_verifier,
)
from hutong.relay.demo.identity.gate import REVOKED, Employer, application
from hutong.relay.demo.identity.ground import EVM_ID, Ground, connect_chain, start
from hutong.relay.demo.identity.holder import Holder
from hutong.relay.demo.identity.organisations import Organisation, Registry
from hutong.relay.demo.identity.report import Outcome, Report
from hutong.relay.local.chain import until
from hutong.relay.local.member import each
from hutong.relay.local.processes import DemoFailed
from hutong.relay.sdk.errors import InvalidArgument

STEPS = (
    "start",
    "connect",
    "accredit",
    "serve",
    "issue",
    "web accepts",
    "contract accepts",
    "audit",
    "audit of a changed byte",
    "revoke",
    "web refuses",
    "contract refuses",
    "links",
)
SCHEMA_FILE = b'{"title": "Diploma", "required": ["degree", "year"]}\n'
CLAIMS = {"given_name": "Ada", "birth_date": "2004-11-03", "degree": "M.Sc. Civil Engineering", "year": 2031}
COUNT = 40
"""One-time credentials: each presentation uses one up, and the verifier is asked again until it refuses."""
ACCEPT_LIMIT_S, REFUSE_LIMIT_S, PAUSE_S, POLL_S = 180, 240, 0.5, 0.1
SLOW_HOST = ("status_list_is_reachable", "token_is_fresh", "token_is_in_time")
"""Rules by which a verifier refuses while an issuer on a busy machine is slow: it is asked again."""
WEB_REVOKED = "status_is_valid"


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part once everything runs."""

    ground: Ground
    university: Organisation
    issuer: Place
    verifier: Place
    desk: Desk
    employer: Employer


@dataclass(frozen=True, slots=True)
class Signed:
    """Two calls for which the wallet signed: one is sent, one is kept until the credentials are revoked."""

    sent: str
    kept: str

    @property
    def list_number(self) -> int:
        """The issuer's status list in which they are."""
        return int(json.loads(self.sent)["seal"]["list"])


@dataclass(frozen=True, slots=True)
class Links:
    """For an outside wallet: an offer with its code, and a request with its id."""

    offer: str
    transaction_code: str
    request: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run. `max_age_s` is how late the contract may learn of a revocation if nobody tells its chain."""

    home: Path
    commands: Commands
    report: Report
    max_age_s: int

    async def run(self, nursery: trio.Nursery) -> tuple[Cast, Links]:
        """To the last step; the report says whether each is as it should be.

        Args:
            nursery: owns the processes.

        Raises:
            DemoFailed: a step could not be taken.
        """
        cast = await self._cast(nursery)
        holder, name = await self._issue(cast)
        await self._web_accepts(cast, holder)
        signed = await self._contract_accepts(cast, holder, name)
        await self._audit(cast, signed)
        revoked_s = await self._revoke(cast)
        async with trio.open_nursery() as refusing:
            refusing.start_soon(self._web_refuses, cast, holder, revoked_s)
            refusing.start_soon(self._contract_refuses, cast, signed, revoked_s)
        return cast, await self._links(cast, holder)

    async def _cast(self, nursery: trio.Nursery) -> Cast:
        home, schema = self.home, sha256(SCHEMA_FILE).hexdigest()
        create_durably(home / "diploma.schema.json", SCHEMA_FILE, READABLE)
        authority = Authority.begin(home / "authority.pem", "Authority of the demo")
        issuer, verifier = (Place.of(home, name, authority) for name in ("issuer", "verifier"))
        authority.certify(issuer.folder, "University", issuer.url)
        authority.certify(verifier.folder, "Employer")
        with self.report.step("start") as outcome:
            running = await start(nursery, home)
            outcome.say("a hub and a dev chain make blocks, each its own process")
        with self.report.step("connect") as outcome:
            ground = await connect_chain(running, self.commands, schema, self.max_age_s)
            outcome.say("the dev chain follows the hub and has a cache of its issuers, and an employer's contract")
        with self.report.step("accredit") as outcome:
            registry = Registry(running, self.commands, schema)
            university = await self._accredit(registry, issuer.folder / "key.jwk.json", ground, outcome)
        with self.report.step("serve") as outcome:
            write_issuer(issuer, running, university, schema)
            write_verifier(verifier, authority)
            desk = await Desk.open(verifier, self.commands)
            async with trio.open_nursery() as starting:
                starting.start_soon(issuer.serve, nursery)
                starting.start_soon(verifier.serve, nursery)
            outcome.say("an issuer and a verifier are ready, each its own process")
        return Cast(ground, university, issuer, verifier, desk, Employer(ground, self.commands))

    async def _accredit(self, registry: Registry, jwk: Path, ground: Ground, outcome: Outcome) -> Organisation:
        """Governance accredits the accreditor, and the accreditor the university."""
        accreditor, university = await each(registry.prepare, [("accreditor", None), ("university", jwk)])
        await registry.accredit_root(accreditor)
        await registry.register(accreditor)
        await registry.accredit(accreditor, university)
        await registry.register(university)
        verdict = await registry.check(university, ground.checkpoint)
        outcome.say(
            f"the hub's governance accredits an accreditor, which accredits a university; judged offline: {verdict}",
            good=verdict.startswith("valid"),
        )
        return university

    async def _issue(self, cast: Cast) -> tuple[Holder, str]:
        with self.report.step("issue") as outcome:
            holder = await Holder.begin(self.home, self.commands, self.home / "authority.pem")
            create_durably(self.home / "claims.json", json.dumps(CLAIMS).encode())
            name = await holder.accept(await self._offer(cast, "graduate-1"), COUNT)
            outcome.say(f"the wallet takes {COUNT} one-time diplomas, a seal beside each", credentials=COUNT)
        return holder, name

    async def _offer(self, cast: Cast, reference: str) -> dict[str, Any]:
        given = ("--type", TYPE, "--claims", self.home / "claims.json", "--reference", reference)
        made: dict[str, Any] = json.loads(
            await self.commands.run("identity", "issue", "--config", cast.issuer.config, *given)
        )
        return made

    async def _present(self, cast: Cast, holder: Holder) -> tuple[str, str]:
        """One presentation to the verifier: the request's state, and the rule that refuses, or nothing."""
        request_id, link = await cast.desk.ask()
        ran = await holder.present(link)
        found = await cast.desk.result(request_id)
        if not found["is_final"]:
            raise DemoFailed(f"the wallet did not answer the verifier: {ran.said}")
        result = found.get("result", {})
        return str(found["state"]), str(result.get("rule", ""))

    async def _web_accepts(self, cast: Cast, holder: Holder) -> None:
        with self.report.step("web accepts") as outcome, trio.move_on_after(ACCEPT_LIMIT_S):
            state, rule = await self._present(cast, holder)
            while rule in SLOW_HOST:
                await trio.sleep(PAUSE_S)
                state, rule = await self._present(cast, holder)
            outcome.say(f"{state} {rule}".strip(), good=state == "accepted")

    async def _contract_accepts(self, cast: Cast, holder: Holder, name: str) -> Signed:
        employer = cast.employer
        with self.report.step("contract accepts") as outcome:
            where = (employer.gate.address, EVM_ID, employer.caller, employer.call, SHOWN)
            signed = Signed(
                await holder.present_to_contract(name, *where), await holder.present_to_contract(name, *where)
            )
            refused: str | None = "nothing was tried"
            with trio.move_on_after(ACCEPT_LIMIT_S):
                while refused is not None:
                    token, data = await self._synchronised(cast, signed.sent, signed.list_number)
                    refused = await employer.refusal(data)
            if refused is not None:
                raise DemoFailed(f"the contract refuses a good credential: {refused}")
            is_taken, gas = await employer.send(data)
            outcome.say("accepted" if is_taken else "reverted", good=is_taken, gas=gas)
            create_durably(self.home / "list.jwt", token.encode(), READABLE)
            create_durably(self.home / "call.json", signed.sent.encode())
        return signed

    async def _synchronised(self, cast: Cast, signed: str, number: int) -> tuple[str, bytes]:
        """The chain is told what is newest on the hub; the list that is served now, and the application by it."""
        head = cast.ground.running.hub.chain.head
        last = await trio.to_thread.run_sync(head)
        await until(lambda: head() > last, POLL_S)  # what was written last is under the next block's header
        token = await fetch_list(cast.issuer, number)
        await cast.employer.update_client()
        await cast.employer.sync(cast.university.did, number)
        try:
            return token, application(signed, token)
        except (VerificationError, InvalidArgument) as error:
            raise DemoFailed(f"the issuer's status list does not go with the credential: {error}") from None

    async def _audit(self, cast: Cast, signed: Signed) -> None:
        """The acceptance in one file, judged without a network: as it is, and with one byte changed."""
        file, config, checkpoint = self.home / "visit.acceptance", cast.ground.running.config, cast.ground.checkpoint
        with self.report.step("audit") as outcome:
            made = ("--statuses", self.home / "list.jwt", "--config", config, "--checkpoint", checkpoint, "--out", file)
            await self.commands.run("identity", "bundle", self.home / "call.json", *made)
            ran = await self.commands.attempt("audit", "identity", file, "--checkpoint", checkpoint)
            outcome.say(f"{ran.code == 0}".lower(), good=ran.code == 0, bytes=file.stat().st_size)
        with self.report.step("audit of a changed byte") as outcome:
            data, changed = bytearray(file.read_bytes()), file.with_name("changed.acceptance")
            signature = bytes.fromhex(json.loads(signed.sent)["holderSignature"].removeprefix("0x"))
            data[data.index(signature) + 1] ^= 1
            create_durably(changed, bytes(data), READABLE)
            ran = await self.commands.attempt("audit", "identity", changed, "--checkpoint", checkpoint)
            outcome.say(f"{ran.code == 0}: {ran.said}".lower(), good=ran.code == 1)

    async def _revoke(self, cast: Cast) -> float:
        """When the command had ended, by this process's clock."""
        with self.report.step("revoke") as outcome:
            chosen = ("--config", cast.issuer.config, "--reference", "graduate-1", "--json")
            risen = json.loads(await self.commands.run("identity", "revoke", *chosen))["revoked"]
            revoked_s = monotonic()
            outcome.say(f"{risen} credentials", good=risen == COUNT, revoked=risen)
        return revoked_s

    async def _web_refuses(self, cast: Cast, holder: Holder, revoked_s: float) -> None:
        with self.report.step("web refuses") as outcome:
            state, rule = "", ""
            with trio.move_on_after(REFUSE_LIMIT_S):
                state, rule = await self._present(cast, holder)
                while rule != WEB_REVOKED:
                    await trio.sleep(PAUSE_S)
                    state, rule = await self._present(cast, holder)
            seconds = round(monotonic() - revoked_s, 1)
            outcome.say(f"{state}: {rule}", good=rule == WEB_REVOKED, seconds_after_revocation=seconds)

    async def _contract_refuses(self, cast: Cast, signed: Signed, revoked_s: float) -> None:
        with self.report.step("contract refuses") as outcome:
            refused: str | None = None
            with trio.move_on_after(REFUSE_LIMIT_S):
                while refused != REVOKED:
                    _, data = await self._synchronised(cast, signed.kept, signed.list_number)
                    refused = await cast.employer.refusal(data)
            seconds = round(monotonic() - revoked_s, 1)
            good, said = refused == REVOKED, refused or "accepted"
            outcome.say(f"refused: {said}" if refused else said, good=good, seconds_after_revocation=seconds)

    async def _links(self, cast: Cast, holder: Holder) -> Links:
        """A new offer and a new request, as links and pictures, for a wallet of somebody else."""
        with self.report.step("links") as outcome:
            offer = await self._offer(cast, "outside-wallet")
            request_id, request = await cast.desk.ask()
            pictures: Sequence[Path] = (self.home / "offer.png", self.home / "request.png")
            for link, picture in zip((offer["link"], request), pictures, strict=True):
                await holder.qr(link, picture)
            outcome.say("an offer and a request, each as a link and a QR code", offer=offer["link"], request=request)
        return Links(offer["link"], offer["transaction_code"], request, request_id)
