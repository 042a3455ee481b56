"""A running hub with trusted storage: two operators, one of whom lies, audited in one epoch by transactions as their daemons send them."""

from dataclasses import replace
from hashlib import sha256

import trio

from hutong.adapters.hub import HubChain, admin
from hutong.adapters.ics26.transactor import Transactor
from hutong.relay.administration.storage.reading import storage_record
from hutong.relay.hub.application.genesis import HubParams
from hutong.relay.hub.home.initialise import NewHub
from hutong.relay.keys import Signer
from hutong.relay.services.storage.rules.audits.answers import encode_answers
from hutong.relay.services.storage.rules.audits.probes import Challenge
from hutong.relay.services.storage.rules.audits.seed import secret_commitment
from hutong.relay.services.storage.rules.calls import (
    COMMIT_SECRET,
    REVEAL_SECRET,
    STORAGE_ADDRESS,
    STORE_BATCH,
    SUBMIT_ANSWERS,
)
from hutong.relay.services.storage.rules.commitments.entries import encode_log_entry, next_log_entry
from hutong.relay.services.storage.rules.lifecycle.signed import ProbeAnswers, signing_digest
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.members import PartyRole
from hutong.relay.services.storage.rules.records.rounds import Phase, decode_clock_record
from hutong.relay.services.storage.rules.records.values import decode_seed_record, decode_set_record
from tests.adapters.conformance.lane import ADMIN, CALM_PACE, CHAIN_ID, HUB_EVM_CHAIN_ID, new_hub
from tests.relay.hub.application.identity.organisations import signature_of
from tests.relay.hub.application.storage.storage_hub import (
    HUB,
    TABLE,
    WRITER,
    Batch,
    HubOperator,
    account_of,
    genesis_with,
)
from tests.relay.services.storage.rules.held import HeldShard, named, octets

EPOCH = 1
PROBES = TABLE["probes"]
AUDITOR = named("owner")
SECRET = sha256(b"the owner's secret").digest()
POLL_S = 0.3


def storing_hub() -> NewHub:
    """One plus one shards, and hours for everybody: nothing here is late."""
    hours = {"reveal_s": 7_200, "deadline_s": 7_200, "epoch_s": 36_000}
    table = TABLE | hours | {"data": 1, "parity": 1, "full_probes": PROBES}
    params = HubParams(block_interval_ms=CALM_PACE.period_ms, proof_block_delay_ms=CALM_PACE.proof_block_ms)
    return replace(new_hub(), params=params, tables=genesis_with(table).tables)


class AuditedHub:
    """Everybody of its storage; `honest` and `liar` are operators' ids."""

    def __init__(self, hub: HubChain) -> None:
        self.hub = hub
        self.operators = {one.id: one for one in map(HubOperator, range(2))}
        self.honest, self.liar = sorted(self.operators)
        self._salt = 0

    async def audited(self) -> None:
        """The first epoch, up to the verdict on either operator."""
        await self._name_everybody()
        commitment = secret_commitment(HUB, AUDITOR, EPOCH, SECRET)
        await self._send(COMMIT_SECRET.encode(AUDITOR, EPOCH, commitment), AUDITOR)
        await self._store()
        await self._until_revealing()
        await self._send(REVEAL_SECRET.encode(AUDITOR, EPOCH, SECRET), AUDITOR)
        seed = decode_seed_record(await self._recorded(keys.seed_key(EPOCH)))
        for operator in (self.honest, self.liar):
            await self._answer(operator, seed.seed, seed.probes)
            await self._recorded(keys.verdict_key(operator, EPOCH))

    async def _name_everybody(self) -> None:
        for one in self.operators.values():
            await self._decide(admin.name_storage_operator, one.id, one.account.address.lower(), one.labels, 10)
            await self._decide(admin.set_storage_operator_state, one.id, 2)
        for role, party in ((PartyRole.WRITER, WRITER), (PartyRole.AUDITOR, AUDITOR)):
            await self._decide(admin.name_storage_party, int(role), party, account_of(party).address.lower())

    async def _store(self) -> None:
        shards = {
            operator: [HeldShard(named("a pack"), number, octets(f"held {number}", 1_024 << 4))]
            for number, operator in enumerate(sorted(self.operators))
        }
        batch = Batch(WRITER, 0, shards)
        newest_map = int.from_bytes(await self._recorded(keys.MAPS_KEY), "big")
        await self._send(STORE_BATCH.encode(WRITER, 0, newest_map, batch.given(), batch.signature()), WRITER)
        for part in batch.parts:
            entry = encode_log_entry(next_log_entry(None, part.part, 0))
            self.operators[part.operator].take(shards[part.operator], entry)

    async def _until_revealing(self) -> None:
        while True:
            clock = decode_clock_record(await self._recorded(keys.CLOCK_KEY))
            if clock.phase is Phase.REVEALING and (await self.hub.head()).height > clock.header_height:
                return
            await trio.sleep(POLL_S)

    async def _answer(self, operator: bytes, seed: bytes, probes: int) -> None:
        one = self.operators[operator]
        held = decode_set_record(await self._recorded(keys.set_key(operator, EPOCH)))
        answers = one.answers(Challenge(seed, operator, held.operator_set, probes))
        if operator == self.liar:
            answers[3] = replace(answers[3], leaf=bytes(1_024))
        shown = encode_answers(answers)
        struct = ProbeAnswers(HUB, operator, EPOCH, 0, len(answers), sha256(shown).digest())
        signature = signature_of(one.account, signing_digest(struct))
        await self._send(SUBMIT_ANSWERS.encode(operator, EPOCH, 0, len(answers), shown, signature), operator)

    async def _decide(self, kind, *said) -> None:
        self._salt += 1
        administrator = Transactor(self.hub.execution, HUB_EVM_CHAIN_ID, ADMIN)
        await admin.approve_and_execute([administrator], CHAIN_ID, kind(1_000 + self._salt, *said))

    async def _send(self, call: bytes, party: bytes) -> None:
        signer = Signer.in_memory(bytes(account_of(party).key))
        await Transactor(self.hub.execution, HUB_EVM_CHAIN_ID, signer).send(STORAGE_ADDRESS, call)

    async def _recorded(self, key: bytes) -> bytes:
        while (found := await storage_record(self.hub.execution, key)) is None:  # noqa: ASYNC110
            await trio.sleep(POLL_S)
        return found
