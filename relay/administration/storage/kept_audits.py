"""Audits of an epoch as files that `hutong audit storage` judges: made of the hub's records and transactions, and judged first."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.relay.administration.storage.shown_hub import ProvenRecords, Recorded, ShownHub, SubmittedAnswers
from hutong.relay.audit.storage import StorageAuditor, judge_file
from hutong.relay.audit.storage.entries import AUDIT_SUFFIX, RECORD_SUFFIX
from hutong.relay.base.durable_files import READABLE, create_durably
from hutong.relay.services.storage.hub.refusals import HubSilent
from hutong.relay.services.storage.rules.audits.answers import RemovedAnswer, decode_answers
from hutong.relay.services.storage.rules.audits.seed import hub_id
from hutong.relay.services.storage.rules.lifecycle.signed import ProbeAnswers, struct_is_signed_by
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.audit_file import AuditFile, encode_audit_file
from hutong.relay.services.storage.rules.records.members import decode_operator_record
from hutong.relay.services.storage.rules.records.values import decode_set_record

REFUSED_SUFFIX: Final = ".refused"
OPERATORS_A_BUNDLE: Final = 100
"""Two records each, of 256 that a bundle may have."""
ID_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class KeptEpoch:
    """What was written of an epoch: audit files that hold, and answers that do not."""

    epoch: int
    audits: int
    refused: tuple[str, ...]


def outcomes_name(epoch: int, number: int = 0) -> str:
    """Of the bundle that shows what became of operators in an epoch; the first of them is written last."""
    return f"{epoch:012}{f'.{number}' if number else ''}{RECORD_SUFFIX}"


def is_kept(folder: Path, epoch: int) -> bool:
    """Whether all of the epoch was written."""
    return (folder / outcomes_name(epoch)).exists()


class AuditKeeper:
    """Writes into one folder, in which nothing is ever replaced."""

    def __init__(self, hub: ShownHub, folder: Path) -> None:
        self._hub, self._folder = hub, folder

    async def keep(self, epoch: int) -> KeptEpoch:
        """Everything of an epoch that is closed.

        Raises:
            HubSilent: the hub's node does not answer, or what it shows does not hold.
            OSError: the folder cannot be written.
        """
        recorded = await self._hub.recorded(await self._first_block(epoch), await self._hub.head())
        secrets = _secret_keys(recorded, epoch)
        operators = await self._operators(recorded, epoch)
        audits, refused = 0, list[str]()
        for given in await self._given(recorded, epoch):
            name, holds = await self._audit(given, secrets)
            audits += holds
            if not holds:
                refused.append(name)
        await self._outcomes(epoch, operators, secrets)
        return KeptEpoch(epoch, audits, tuple(refused))

    async def _first_block(self, epoch: int) -> int:
        """Auditors commit for an epoch once the one before has begun."""
        for operator in ids_of(await self._hub.said(keys.ROSTER_KEY)):
            value = await self._hub.said(keys.set_key(operator, epoch - 1)) if epoch > 1 else None
            if value is not None:
                return decode_set_record(value).height
        return 1

    async def _operators(self, recorded: list[Recorded], epoch: int) -> list[bytes]:
        """All that may have been asked: those that have not left, and whoever answered."""
        found = set(ids_of(await self._hub.said(keys.ROSTER_KEY)))
        prefix, suffix = keys.VERDICT_PREFIX, epoch.to_bytes(8, "big")
        found |= {
            one.key[len(prefix) : -8] for one in recorded if one.key.startswith(prefix) and one.key.endswith(suffix)
        }
        return sorted(found)

    async def _given(self, recorded: list[Recorded], epoch: int) -> list[SubmittedAnswers]:
        transactions = dict.fromkeys(
            one.transaction for one in recorded if one.key.startswith((keys.ANSWERED_PREFIX, keys.VERDICT_PREFIX))
        )
        found: dict[SubmittedAnswers, None] = {}
        for transaction in transactions:
            for given in await self._hub.answers_in(transaction):
                if given.epoch == epoch and (not given.is_carried or await self._is_signed(given)):
                    found[given] = None
        return list(found)

    async def _is_signed(self, given: SubmittedAnswers) -> bool:
        """Whether the operator's account signed it. A contract may carry what the module refused: that is nobody's answer."""
        record = await self._hub.said(keys.operator_key(given.operator))
        said = given.operator, given.epoch, given.first, given.count, sha256(given.answers)
        try:
            struct = ProbeAnswers(hub_id(self._hub.trusted.chain_id), *said)
            account = b"" if record is None else decode_operator_record(record).account
            struct_is_signed_by(struct, given.signature, account)
        except VerificationError:
            return False
        return True

    async def _audit(self, given: SubmittedAnswers, secrets: list[bytes]) -> tuple[str, bool]:
        operator, epoch = given.operator, given.epoch
        wanted = [keys.seed_key(epoch), keys.set_key(operator, epoch), keys.verdict_key(operator, epoch)]
        wanted += [keys.operator_key(operator), *secrets, *await self._removals(given)]
        shown = await self._hub.proven(wanted)
        file = AuditFile(operator, epoch, given.first, given.count, given.answers, given.signature, shown.bundle)
        name = f"{epoch:012}-{operator.hex()}-{given.first:04}{AUDIT_SUFFIX}"
        return await trio.to_thread.run_sync(self._write_judged, name, encode_audit_file(file))

    async def _removals(self, given: SubmittedAnswers) -> list[bytes]:
        value = await self._hub.said(keys.set_key(given.operator, given.epoch))
        try:
            size = 0 if value is None else decode_set_record(value).operator_set.size
            answers = decode_answers(given.answers, size, given.count)
        except MalformedInput:
            return []
        placed = [one.placed for one in answers if isinstance(one, RemovedAnswer)]
        return list(dict.fromkeys(keys.removal_key(one.log_entry.batch, one.entry.pack) for one in placed))

    async def _outcomes(self, epoch: int, operators: list[bytes], secrets: list[bytes]) -> None:
        parts = [operators[at : at + OPERATORS_A_BUNDLE] for at in range(0, len(operators), OPERATORS_A_BUNDLE)]
        for number, part in reversed(list(enumerate(parts or [[]]))):
            wanted = [keys.seed_key(epoch), *secrets]
            for operator in part:
                wanted += [keys.set_key(operator, epoch), keys.verdict_key(operator, epoch)]
            shown: ProvenRecords = await self._hub.proven(wanted)
            name = outcomes_name(epoch, number)
            _, holds = await trio.to_thread.run_sync(self._write_judged, name, shown.bundle)
            if not holds:
                raise HubSilent(f"what the hub shows of epoch {epoch} does not hold: {name}{REFUSED_SUFFIX}")

    def _write_judged(self, name: str, data: bytes) -> tuple[str, bool]:
        """Its records were proven from what is trusted now, so that what fails here is the answers' own."""
        failure = judge_file(StorageAuditor(self._hub.trusted, time.time_ns()), name, data).failure
        name = name if failure is None else f"{name}{REFUSED_SUFFIX}"
        with suppress(FileExistsError):  # written before a restart; what is there stays
            create_durably(self._folder / name, data, READABLE)
        return name, failure is None


def _secret_keys(recorded: list[Recorded], epoch: int) -> list[bytes]:
    prefix = keys.SECRET_PREFIX + epoch.to_bytes(8, "big")
    return sorted({one.key for one in recorded if one.key.startswith(prefix)})


def ids_of(roster: bytes | None) -> list[bytes]:
    """Of `storage/roster`."""
    octets = roster or b""
    return [octets[at : at + ID_BYTES] for at in range(0, len(octets), ID_BYTES)]
