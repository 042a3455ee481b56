"""Storage records as a hub's node tells them (docs/spec/storage-records.md). Nothing is proven here: `hutong prove` does that."""

from dataclasses import dataclass
from random import Random
from typing import Any, Final

from hutong.adapters.ics26.execution import ExecutionRpc
from hutong.adapters.interface import BadAnswer
from hutong.adapters.rpc import Fields
from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.hub.access import open_hub
from hutong.relay.config import HubChainConfig
from hutong.relay.services.storage.rules.calls import GET_RECORD, STORAGE_ADDRESS
from hutong.relay.services.storage.rules.records import batches, keys, members, rounds, values
from hutong.relay.services.storage.rules.records.batches import LogRecord
from hutong.relay.services.storage.rules.records.members import (
    MAX_MAP_BYTES,
    OperatorRecord,
    PartyRecord,
    PartyRole,
    decode_label,
    party_role,
)
from hutong.relay.services.storage.rules.records.parameters import DEFAULTS, Parameters, decode_parameters
from hutong.relay.services.storage.rules.records.rounds import ClockRecord, LedgerRecord, Phase
from hutong.relay.services.storage.rules.records.values import VerdictRecord

MAX_KEY_BYTES: Final = 200
LEAVES_OF_A_TIB: Final = 2**30
_PAGE: Final = 1_000
_MOST_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class ToldOperator:
    """An operator, its log, what it has done, and its verdict of the newest closed or running epoch; None for none."""

    operator: bytes
    record: OperatorRecord
    log: LogRecord | None
    ledger: LedgerRecord
    verdict: VerdictRecord | None


@dataclass(frozen=True, slots=True)
class ToldParty:
    """One who is named for a role."""

    role: PartyRole
    party: bytes
    record: PartyRecord


@dataclass(frozen=True, slots=True)
class ToldStorage:
    """A hub's trusted storage at one look, by its node's word."""

    parameters: Parameters
    clock: ClockRecord | None
    batches: int
    maps: int
    operators: tuple[ToldOperator, ...]
    parties: tuple[ToldParty, ...]


async def read_storage(hub: HubChainConfig, random: Random) -> ToldStorage:
    """What a hub says of storage.

    Raises:
        BadAnswer: a malformed record. RpcRefused: the node does not offer them.
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        try:
            return await _told(chain.execution)
        except MalformedInput as error:
            raise BadAnswer("eth_call", "storage", str(error)) from error


async def read_parameters(hub: HubChainConfig, random: Random) -> Parameters:
    """What governance of a hub says of storage as a whole; the defaults where it has said nothing yet.

    Raises:
        BadAnswer: a malformed record, or the hub has no trusted storage.
        AdapterError: the hub does not answer.
    """
    async with open_hub(hub, random) as chain:
        try:
            return await _parameters(chain.execution)
        except MalformedInput as error:
            raise BadAnswer("eth_call", "storage", str(error)) from error


async def storage_rows(execution: ExecutionRpc, prefix: bytes) -> dict[bytes, bytes]:
    """Values by key below a prefix, in the order of their keys, page by page; at most 10 000.

    Raises:
        BadAnswer: a malformed page, or a key that does not begin with the prefix. RpcRefused: the node does not offer it.
        EndpointUnavailable: no endpoint answers.
    """

    def rows(fields: Fields) -> dict[bytes, bytes]:
        found = {}
        for item in fields.items(_PAGE):
            key = item.at("key").data(max_bytes=MAX_KEY_BYTES)
            if not key.startswith(prefix):
                raise item.at("key").bad("does not begin with the prefix")
            found[key] = item.at("value").data(max_bytes=MAX_MAP_BYTES)
        return found

    known: dict[bytes, bytes] = {}
    while True:
        before = len(known)
        after = max(known, default=prefix)
        known |= await execution.client.call("hutong_storage", [f"0x{prefix.hex()}", f"0x{after.hex()}"], rows)
        if not before < len(known) < _MOST_ROWS:
            return {key: known[key] for key in sorted(known)}


async def storage_record(execution: ExecutionRpc, key: bytes) -> bytes | None:
    """The value under a key of storage, None where there is none.

    Raises:
        RefusedByChain: the key is not one of storage.
        MalformedInput: the hub has no such module yet.
        EndpointUnavailable: no endpoint answers.
    """
    (value,) = GET_RECORD.read(await execution.call(STORAGE_ADDRESS, GET_RECORD.encode(key)))
    return value or None


async def _told(execution: ExecutionRpc) -> ToldStorage:
    raw_clock = await storage_record(execution, keys.CLOCK_KEY)
    clock = None if raw_clock is None else rounds.decode_clock_record(raw_clock)
    operators = await storage_rows(execution, keys.OPERATOR_PREFIX)
    logs = await storage_rows(execution, keys.LOG_PREFIX)
    ledgers = await storage_rows(execution, keys.LEDGER_PREFIX)
    told, epoch = [], _judged_epoch(clock)
    for key, value in operators.items():
        operator = key[len(keys.OPERATOR_PREFIX) :]
        log, ledger = logs.get(keys.log_key(operator)), ledgers.get(keys.ledger_key(operator))
        verdict = await storage_record(execution, keys.verdict_key(operator, epoch)) if epoch else None
        told.append(
            ToldOperator(
                operator,
                members.decode_operator_record(value),
                None if log is None else batches.decode_log_record(log),
                LedgerRecord() if ledger is None else rounds.decode_ledger_record(ledger),
                None if verdict is None else values.decode_verdict_record(verdict),
            )
        )
    return ToldStorage(
        await _parameters(execution),
        clock,
        int.from_bytes(await storage_record(execution, keys.BATCHES_KEY) or b"", "big"),
        int.from_bytes(await storage_record(execution, keys.MAPS_KEY) or b"", "big"),
        tuple(told),
        tuple(_party(key, value) for key, value in (await storage_rows(execution, keys.PARTY_PREFIX)).items()),
    )


async def _parameters(execution: ExecutionRpc) -> Parameters:
    raw = await storage_record(execution, keys.PARAMETERS_KEY)
    return DEFAULTS if raw is None else decode_parameters(raw)


def _judged_epoch(clock: ClockRecord | None) -> int:
    if clock is None:
        return 0
    return clock.epoch if clock.phase in (Phase.ANSWERING, Phase.CLOSED) else clock.epoch - 1


def _party(key: bytes, value: bytes) -> ToldParty:
    role, party = key[len(keys.PARTY_PREFIX)], key[len(keys.PARTY_PREFIX) + 1 :]
    return ToldParty(party_role(role), party, members.decode_party_record(value))


def told_fields(told: ToldStorage) -> dict[str, Any]:
    """As JSON."""
    clock = told.clock
    return {
        "parameters": {
            name: getattr(told.parameters, name)
            for name in (
                "epoch_s",
                "cut_blocks",
                "reveal_s",
                "deadline_s",
                "probes",
                "full_probes",
                "full_every",
                "data",
                "parity",
                "price",
            )
        },
        "epoch": None if clock is None else {"number": clock.epoch, "phase": clock.phase.name.lower()},
        "batches": told.batches,
        "map": told.maps,
        "operators": [operator_fields(one) for one in told.operators],
        "parties": [
            {"role": one.role.name.lower(), "id": one.party.hex(), "account": f"0x{one.record.account.hex()}"}
            for one in told.parties
        ],
    }


def operator_fields(one: ToldOperator) -> dict[str, Any]:
    """An operator as JSON; a verdict is of the newest epoch that has any."""
    record, ledger = one.record, one.ledger
    leaves = 0 if one.log is None else one.log.leaves
    return {
        "id": one.operator.hex(),
        "account": f"0x{record.account.hex()}",
        "organisation": decode_label(record.organisation),
        "site": decode_label(record.site),
        "region": decode_label(record.region),
        "engine": decode_label(record.engine),
        "weight": record.weight,
        "state": record.state.name.lower(),
        "batches": 0 if one.log is None else one.log.size,
        "leaves": leaves,
        "verdict": None if one.verdict is None else one.verdict.outcome.name.lower(),
        "passed": ledger.passed,
        "failed": ledger.failed,
        "missed": ledger.missed,
        "weak": ledger.weak,
        "proven_tib_epochs": ledger.proven_leaves / LEAVES_OF_A_TIB,
        "owed": ledger.priced // LEAVES_OF_A_TIB,
    }
