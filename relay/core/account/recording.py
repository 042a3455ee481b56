"""What is written down about a transaction: before it is sent, so that a crash forgets nothing, and at its end."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from hutong.adapters.interface import PreparedTransaction, SignedTransaction, TransactionOutcome
from hutong.adapters.rpc import all_of
from hutong.light_clients.interface import MalformedInput
from hutong.relay.archive import Archive, ArchiveUnavailable, Evidence, check_evidence
from hutong.relay.core.account.pending import Jobs
from hutong.relay.core.history.history import MAX_LOGGED_PACKETS
from hutong.relay.dispatch import JobKind
from hutong.relay.ledger import Delivery, Ledger, RecordedTransaction, TransactionEnd, TransactionState, shares
from hutong.relay.telemetry import get_logger


class Recorder:
    """The records of one key on one chain."""

    def __init__(self, ledger: Ledger, archive: Archive, chain: str, sender: str, now_ns: Callable[[], int]) -> None:
        self._ledger = ledger
        self._archive = archive
        self._chain = chain
        self._sender = sender
        self._now_ns = now_ns
        self._log = get_logger("account").bind(chain=chain)

    async def signed(self, signed: SignedTransaction, jobs: Jobs, evidence: Sequence[Evidence]) -> None:
        """Record a signed transaction and keep its evidence. When this returns the transaction may be sent.

        Evidence that cannot be kept, because the disk or `check_evidence` refuses it, is logged and does not stop
        packets.

        Args:
            jobs: one entry for each message of the transaction, None for a client update.
            evidence: of the messages with a job; the transaction's hash is filled in here.

        Raises:
            LedgerUnavailable: it is not recorded, and must not be sent.
        """
        record = RecordedTransaction(
            chain=self._chain,
            hash=signed.hash,
            sender=self._sender,
            nonce=signed.nonce,
            raw=signed.raw,
            prepared=_prepared_text(signed.prepared),
            jobs=jobs,
            signed_at_ns=self._now_ns(),
        )
        kept = [replace(one, transaction_hash=signed.hash) for one in evidence]
        await all_of([(self._ledger.record, record), (self._keep, kept)])

    async def _keep(self, evidence: Sequence[Evidence]) -> None:
        refused: dict[str, list[Evidence]] = {}
        kept: list[Evidence] = []
        for one in evidence:
            try:
                check_evidence(one)
            except MalformedInput as error:
                # Such as more headers than evidence may have. The others of the batch are kept: `write` takes all or none.
                refused.setdefault(str(error), []).append(one)
            else:
                kept.append(one)
        for reason, left_out in refused.items():
            self._not_kept(left_out, reason)
        try:
            await self._archive.write(kept)
        except (ArchiveUnavailable, MalformedInput) as error:
            self._not_kept(kept, str(error))

    def _not_kept(self, evidence: Sequence[Evidence], reason: str) -> None:
        self._log.error(
            "evidence not kept",
            transaction=evidence[0].transaction_hash,
            packets=[_packet_of(one) for one in evidence[:MAX_LOGGED_PACKETS]],
            reason=reason,
        )

    async def kept(self, jobs: Jobs) -> tuple[Evidence, ...]:
        """The evidence of a transaction that an earlier process signed, as far as it can be read.

        Evidence that is damaged or cannot be read is logged and left out; client updates have none.
        """
        found: list[Evidence] = []
        for job in jobs:
            if job is None:
                continue
            chain, client_id, sequence = job.packet_id.split("/")
            try:
                evidence = await self._archive.read(chain, client_id, int(sequence), job.kind)
            except (ArchiveUnavailable, MalformedInput) as error:
                self._log.warning("evidence cannot be read", packet=job.packet_id, reason=str(error))
                continue
            if evidence is not None:
                found.append(evidence)
        return tuple(found)

    async def unended(self) -> list[tuple[SignedTransaction, Jobs]]:
        """What an earlier process recorded and did not see the end of, by nonce; variants of one nonce in order of
        signing.

        Raises:
            LedgerUnavailable: the ledger does not answer.
        """
        return [
            (SignedTransaction(record.hash, record.raw, record.nonce, _prepared(record.prepared)), record.jobs)
            for record in await self._ledger.open_transactions(self._chain, self._sender)
        ]

    def included(self, outcome: TransactionOutcome, jobs: Jobs) -> None:
        """In a final block, with what it delivered. Written with what comes next: until then the chain knows it.

        A message that failed delivered nothing; one that found its work done has a share of the cost, and delivered
        nothing.

        Args:
            jobs: one entry for each message of the transaction, None for a client update.
        """
        now_ns = self._now_ns()
        self._ledger.note_end(
            TransactionEnd(
                self._chain,
                outcome.transaction_hash,
                TransactionState.INCLUDED if outcome.reverted is None else TransactionState.REVERTED,
                now_ns,
                height=outcome.height,
                gas_used=outcome.gas_used,
                fee_wei=outcome.fee_wei,
                reason=outcome.reverted,
                deliveries=tuple(_deliveries(self._chain, jobs, outcome, now_ns)),
            )
        )

    async def never_included(
        self, signed: SignedTransaction, reason: str | None = None, state: TransactionState = TransactionState.REPLACED
    ) -> None:
        """Write down that a signed transaction has ended without ever being in a block.

        Args:
            state: REPLACED where its nonce was used by another, REFUSED where the pool did not take it.

        Raises:
            LedgerUnavailable: the ledger does not answer; the transaction counts as open after a restart.
        """
        await self._ledger.end(TransactionEnd(self._chain, signed.hash, state, self._now_ns(), reason=reason))


def _packet_of(evidence: Evidence) -> str:
    sender = evidence.source_chain if evidence.kind == JobKind.RECEIVE else evidence.destination_chain
    return f"{sender}/{evidence.packet.source_client}/{evidence.packet.sequence}"


def _deliveries(chain: str, jobs: Jobs, outcome: TransactionOutcome, now_ns: int) -> list[Delivery]:
    """What the transaction did. Messages that found their work done have a share of the cost, and delivered nothing."""
    executed = [
        None if index in outcome.noops else job
        for index, job in enumerate(jobs)
        if job is not None and outcome.failure_of(index) is None
    ]
    if not executed:
        return []
    gas, fees = shares(outcome.gas_used, len(executed)), shares(outcome.fee_wei, len(executed))
    return [
        Delivery(
            packet_id=job.packet_id,
            kind=job.kind,
            chain=chain,
            transaction_hash=outcome.transaction_hash,
            height=outcome.height,
            batch_size=len(executed),
            gas_used=gas[index],
            fee_wei=fees[index],
            event_time_ns=job.event_time_ns,
            block_time_ns=outcome.block_time_ns,
            at_ns=now_ns,
        )
        for index, job in enumerate(executed)
        if job is not None
    ]


def _prepared_text(prepared: PreparedTransaction) -> str:
    return json.dumps(asdict(prepared) | {"data": prepared.data.hex()})


def _prepared(text: str) -> PreparedTransaction:
    """Also of rows that an older hutong wrote: fields that came later have defaults."""
    fields = json.loads(text)
    return PreparedTransaction(
        **(fields | {"data": bytes.fromhex(fields["data"]), "expected": tuple(fields["expected"])})
    )
