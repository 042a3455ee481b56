"""Proofs: the kept evidence of a message judged again, and its bundle to take home."""

from collections.abc import Sequence
from random import Random
from typing import Literal

import trio
from fastapi import APIRouter, Depends, Response

from hutong.light_clients.interface import CheckVerdict, MalformedInput, VerificationError
from hutong.relay.api.models.instants import instant
from hutong.relay.api.reading.backend import Chains
from hutong.relay.api.reading.ledger_desk import Readers
from hutong.relay.api.reading.public_text import public_text
from hutong.relay.api.requests import (
    BUNDLE_LIMIT_S,
    ChainName,
    ClientId,
    HashPath,
    InService,
    answer,
    known_parameters,
    refusals,
)
from hutong.relay.api.requests import (
    Sequence as SequencePath,
)
from hutong.relay.api.routers.messages import unknown_message
from hutong.relay.api.service import ANSWER_LIMIT_S, Service
from hutong.relay.archive import ArchiveUnavailable, Evidence
from hutong.relay.archive.bundle import encode_bundle
from hutong.relay.archive.evidence import KINDS
from hutong.relay.config import PathEnd
from hutong.relay.core.archiving.bundling import Exporter, NotExportable
from hutong.relay.core.clients.evidence_check import judge_again
from hutong.relay.schemas.messages import CheckedPredicate, CheckedProof, ProofList
from hutong.relay.web.problems import ApiProblem, Code

router = APIRouter(prefix="/v1", tags=["proofs"], dependencies=[Depends(known_parameters)])

RECENT = 1_000
"""Packets of a hub whose evidence is read when a bundle's second leg is looked for."""
MOST_ASKED = 50
"""Packets that the hub is asked for one by one where there is no evidence of the second leg."""

Judged = tuple[int, Evidence | str, tuple[CheckVerdict, ...]]


@router.get(
    "/messages/{message_id}/proofs",
    response_model=ProofList,
    responses=refusals(Code.NOT_FOUND, Code.LEDGER_UNAVAILABLE, Code.CHAIN_UNAVAILABLE),
)
async def proofs_by_id(service: InService, message_id: HashPath) -> Response:
    """The kept evidence of every step, judged again now."""
    return await _proofs(service, message_id.lower())


@router.get(
    "/messages/{chain}/{client}/{sequence}/proofs",
    response_model=ProofList,
    responses=refusals(Code.NOT_FOUND, Code.LEDGER_UNAVAILABLE, Code.CHAIN_UNAVAILABLE),
)
async def proofs_by_packet(service: InService, chain: ChainName, client: ClientId, sequence: SequencePath) -> Response:
    """The kept evidence of every step, judged again now from the state that the client trusted."""
    return await _proofs(service, f"{chain}/{client}/{sequence}")


_BUNDLE = {
    200: {
        "description": "docs/spec/bundle.md; for `hutong audit verify`",
        "content": {"application/json": {"schema": {"type": "object"}}},
    },
    **refusals(Code.NOT_FOUND, Code.NOT_EXPORTABLE, Code.LEDGER_UNAVAILABLE, Code.CHAIN_UNAVAILABLE),
}


@router.get("/messages/{message_id}/bundle", responses=_BUNDLE, response_class=Response)
async def bundle_by_id(service: InService, message_id: HashPath) -> Response:
    """The proof bundle of a message, of both legs if it was sent on."""
    return await _bundle(service, message_id.lower())


@router.get("/messages/{chain}/{client}/{sequence}/bundle", responses=_BUNDLE, response_class=Response)
async def bundle_by_packet(service: InService, chain: ChainName, client: ClientId, sequence: SequencePath) -> Response:
    """The proof bundle of a message, of both legs if it was sent on. Of a signed log, whose messages the ledger does not
    have, `chain` is the log's name, and the hub must have acknowledged it."""
    return await _bundle(service, f"{chain}/{client}/{sequence}")


async def _legs(service: Service, name: str) -> list[str]:
    def find(readers: Readers) -> list[str]:
        record = readers.messages.message(name) if "/" in name else readers.messages.by_message_id(name)
        return [] if record is None else [leg.packet_id for leg in record.legs]

    legs = await service.ledger.read(find)
    if not legs:
        raise unknown_message(name)
    return legs


async def _proofs(service: Service, name: str) -> Response:
    legs = await _legs(service, name)

    async def judge(chains: Chains) -> list[Judged]:
        judged: list[Judged] = []
        limiter = chains.judges
        for number, packet_id in enumerate(legs, start=1):
            chain, client, sequence = packet_id.split("/")
            for kind in KINDS:
                try:
                    evidence = await chains.archive.read(chain, client, int(sequence), kind)
                except MalformedInput as error:
                    judged.append((number, kind, (CheckVerdict("evidence_is_whole", "evidence 1", error),)))
                    continue
                if evidence is not None:
                    verdicts = await trio.to_thread.run_sync(judge_again, evidence, limiter=limiter)
                    judged.append((number, evidence, verdicts))
        return judged

    try:
        found = await service.backend.ask(judge, ANSWER_LIMIT_S, asks_chains=False)
    except ArchiveUnavailable as error:
        raise ApiProblem(Code.BUSY, public_text(str(error))) from None
    return answer(
        ProofList(
            id=legs[0],
            items=tuple(_proof(legs[number - 1], number, evidence, verdicts) for number, evidence, verdicts in found),
        )
    )


def _proof(packet_id: str, number: int, evidence: Evidence | str, verdicts: Sequence[CheckVerdict]) -> CheckedProof:
    predicates = tuple(
        CheckedPredicate(
            name=verdict.name,
            valid=verdict.held,
            error=None if verdict.error is None else public_text(str(verdict.error)),
        )
        for verdict in verdicts
    )
    valid = all(verdict.held for verdict in verdicts)
    leg: Literal[1, 2] = 1 if number == 1 else 2
    if isinstance(evidence, str):  # damaged: nothing of it is known but its name
        return CheckedProof(
            packet_id=packet_id,
            leg=leg,
            kind=evidence,
            source_chain=None,
            destination_chain=None,
            client=None,
            client_type=None,
            proof_height=None,
            headers=0,
            verified_at=None,
            transaction=None,
            valid=False,
            predicates=predicates,
        )
    return CheckedProof(
        packet_id=packet_id,
        leg=leg,
        kind=evidence.kind,
        source_chain=evidence.source_chain,
        destination_chain=evidence.destination_chain,
        client=evidence.client_id,
        client_type=evidence.client_type,
        proof_height=str(evidence.proof_height),
        headers=len(evidence.headers),
        verified_at=instant(evidence.verified_at_ns),
        transaction=f"0x{evidence.transaction_hash.hex()}",
        valid=valid,
        predicates=predicates,
    )


async def _bundle(service: Service, name: str) -> Response:
    log = next((one for one in service.config.logs if "/" in name and one.name == name.partition("/")[0]), None)
    chain, client, sequence = (name if log is not None else (await _legs(service, name))[0]).split("/")

    async def export(chains: Chains) -> bytes:
        async with chains.exporters:
            exporter = Exporter(
                chains.adapters, chains.paths, chains.archive, newest_sent=RECENT, most_asked=MOST_ASKED
            )
            if log is None:
                bundle = await exporter.export(PathEnd(chain=chain, client=client), int(sequence))
            else:
                bundle = await exporter.export_from_log(log, client, int(sequence), Random())  # noqa: S311  endpoint choice
            return await trio.to_thread.run_sync(encode_bundle, bundle, limiter=chains.judges)

    try:
        data = await service.backend.ask(export, BUNDLE_LIMIT_S - 5, asks_chains=False)
    except (NotExportable, VerificationError) as error:
        raise ApiProblem(Code.NOT_EXPORTABLE, public_text(str(error))) from None
    except ArchiveUnavailable as error:
        raise ApiProblem(Code.BUSY, public_text(str(error))) from None
    name = f"{chain}-{client}-{sequence}.bundle.json"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-cache"}
    return Response(data, 200, headers, media_type="application/json")
