"""`hutong identity person enrol | register | prove | check` and `shard follow`: persons of a registrar, and their leaves."""

import json
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.light_clients.interface import VERIFY, MalformedInput, VerificationError
from hutong.relay.administration.identity.identifiers import did_of_text, did_text
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.identity.organisation import Account, Did
from hutong.relay.services.identity.rules.persons.person import (
    Control,
    person_id,
)
from hutong.relay.services.identity.rules.persons.recovery_policy import (
    encode_person_policy,
)
from hutong.relay.services.identity.rules.records.keys import hub_name
from hutong.relay.verify.inputs import read_file

if TYPE_CHECKING:
    pass

from hutong.relay.cli.identity.persons.options import (
    Folder,
    Index,
    PersonKeystore,
    RecoveryOptions,
    Shard,
    commitment_of,
    hex_of,
    next_of,
    place_at,
    writer_of,
)

MAX_REQUEST_BYTES = 4_096
MAX_PROOF_BYTES = 2_048
MAX_REQUESTS = 100_000
SALT_BYTES = 16


def follow(registrar: Did, folder: Folder, config: ConfigFile, hub: HubName = None, as_json: AsJson = False) -> None:
    """Read a hub's blocks for a registrar's persons, and check what follows against the hub's roots. Anybody can."""
    from hutong.relay.administration.configured import hub_of
    from hutong.relay.administration.identity import persons
    from hutong.relay.cli.common.session import config_of, run_administration

    chosen = hub_of(config_of(config), hub)
    at = persons.At(chosen, folder, did_of_text(registrar, hub_name(chosen.chain_id)))
    height, found = run_administration(partial(persons.follow, at))
    if as_json:
        rows = [{"shard": n, "persons": count, "root": root.hex()} for n, (count, root) in enumerate(found)]
        typer.echo(json.dumps({"height": height, "shards": rows}))
        return
    for number, (count, root) in enumerate(found):
        typer.echo(f"shard {number}: {count} persons, root {root.hex()}")
    typer.echo(f"followed to block {height}")


def enrol(
    registrar: Did,
    out: Annotated[Path, typer.Option("--out", "-o", help="The request, for the registrar; keep a copy.")],
    config: ConfigFile,
    key: PersonKeystore,
    recovery: RecoveryOptions,
    next_key: Annotated[
        str | None, typer.Option("--next", help="Account of the only key that may follow, kept elsewhere.")
    ] = None,
    shard_number: Annotated[int, typer.Option("--shard", min=0, help="Shard that the registrar fills now.")] = 0,
    hub: HubName = None,
) -> None:
    """Sign a registration with a key of one's own, and write it for the registrar. Nothing is sent."""
    from hutong.relay.administration.configured import hub_of
    from hutong.relay.base.durable_files import create_durably
    from hutong.relay.cli.common.session import config_of
    from hutong.relay.services.identity.rules.persons.registering import encode_registrations

    name = hub_name(hub_of(config_of(config), hub).chain_id)
    opened = key.open(name)
    with refusing(MalformedInput):
        policy = recovery.policy()
    control = Control(opened.account, next_of(next_key), commitment_of(policy))
    entry = opened.register((did_of_text(registrar, name), shard_number), control, os.urandom(SALT_BYTES))
    written = {
        "registrar": registrar,
        "shard": shard_number,
        "registration": encode_registrations([entry]).hex(),
        "policy": None if policy is None else encode_person_policy(policy).hex(),
    }
    try:
        create_durably(out, json.dumps(written, indent=1).encode() + b"\n")
    except OSError as error:
        raise Refused(f"{out} is not written: {error}", UNUSABLE) from None
    typer.echo(str(out))


def register(
    registrar: Did,
    requests: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Requests, as `enrol` writes them.")],
    folder: Folder,
    account: Account,
    as_json: AsJson = False,
) -> None:
    """Register persons, as the account of the registrar's log key; prints each one's DID and place."""
    from hutong.relay.administration.identity import persons
    from hutong.relay.cli.common.session import run_administration
    from hutong.relay.services.identity.rules.persons.registering import decode_registrations

    at, writer = place_at(account, folder, registrar), writer_of(account, registrar)
    with refusing(VerificationError):
        entries = [
            decode_registrations(hex_of(str(file), read_request(file)["registration"]))[0]
            for file in requests[:MAX_REQUESTS]
        ]
    places = run_administration(partial(persons.register, at, account.key.open(), writer, entries))
    name = hub_name(at.hub.chain_id)
    for entry, place in zip(entries, places, strict=True):
        did = did_text(name, person_id(name, place, entry.salt))
        row = {"did": did, "shard": place.shard, "index": place.index}
        typer.echo(json.dumps(row) if as_json else f"{did} shard {place.shard} index {place.index}")


def read_request(file: Path) -> dict[str, Any]:
    """A request as `enrol` writes it.

    Raises:
        MalformedInput: it is not one.
    """
    from hutong.light_clients.interface.json_text import parse_json

    found = parse_json(read_file(file, MAX_REQUEST_BYTES), str(file), MAX_REQUEST_BYTES)
    if not isinstance(found, dict) or not isinstance(found.get("registration"), str):
        raise MalformedInput(str(file), "is not a request of a person")
    return found


def prove(
    registrar: Did,
    shard_number: Shard,
    index: Index,
    folder: Folder,
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the proof goes, 797 bytes.")],
    hub: HubName = None,
) -> None:
    """Write the proof of a person as of the hub's newest block, and print its DID and the record that it is judged by."""
    from hutong.relay.administration.configured import hub_of
    from hutong.relay.administration.identity import persons
    from hutong.relay.base.durable_files import write_durably
    from hutong.relay.cli.common.session import config_of, run_administration
    from hutong.relay.services.identity.rules.persons.person_proof import encode_person_proof
    from hutong.relay.services.identity.rules.records.keys import shard_key

    chosen = hub_of(config_of(config), hub)
    name = hub_name(chosen.chain_id)
    at = persons.At(chosen, folder, did_of_text(registrar, name))
    proof = run_administration(partial(persons.prove, at, shard_number, index))
    write_durably(out, encode_person_proof(proof))
    typer.echo(did_text(name, person_id(name, proof.place, proof.person.salt)))
    typer.echo(f"record {shard_key(at.registrar, shard_number).hex()}")


def check(
    did: Annotated[str, typer.Argument(metavar="DID", help="Of the person: did:hutong:<hub>:<id>.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A proof, as `prove` writes it.")],
    record: Annotated[
        str, typer.Option(help="The shard's record, as `hutong audit record` has proven it, in hexadecimal.")
    ],
    as_json: AsJson = False,
) -> None:
    """Judge the proof of a person offline: who controls it now. 0 it holds, 1 refused, 2 unusable."""
    from hutong.relay.services.identity.rules.persons.person_proof import decode_person_proof, judge_person
    from hutong.relay.services.identity.rules.records.shard_record import decode_shard_record

    name = did.removeprefix("did:hutong:").rpartition(":")[0]
    with refusing(MalformedInput):
        proof = decode_person_proof(read_file(file, MAX_PROOF_BYTES))
        shown = decode_shard_record(hex_of("--record", record))
    try:
        found = judge_person(VERIFY, name, did_of_text(did), shown, proof)
    except VerificationError as error:
        raise Refused(f"refused: {error}", REFUSED) from None
    row = {"account": f"0x{found.control.account.hex()}", "sequence": found.sequence, "shard": proof.place.shard}
    typer.echo(json.dumps(row) if as_json else f"valid: {row['account']} controls it, after {found.sequence} changes")
