"""`hutong identity person apply | receipt | fetch | renew`: what a person asks of a registrar's service, without a node."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.relay.administration.identity.identifiers import did_of_text
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, Refused, refusing
from hutong.relay.cli.identity.organisation import Did
from hutong.relay.cli.identity.persons.options import Index, PersonKeystore, Shard, ToKey
from hutong.relay.cli.identity.persons.people import read_request

if TYPE_CHECKING:
    from hutong.relay.services.identity.registrar.person_key import PersonKey
    from hutong.relay.services.identity.rules.persons.person import Place
    from hutong.relay.services.identity.rules.persons.person_proof import PersonProof

ASKING_S = 300
"""For which a signed request counts."""
Service = Annotated[str, typer.Option(metavar="URL", help="The registrar's service, by https.")]


def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A request, as `enrol` writes it.")],
    service: Service,
    invitation: Annotated[str, typer.Option(help="The code that the registrar's office gave you, for once.")],
) -> None:
    """Ask a registrar's service to register a person; prints the receipt."""
    with refusing(MalformedInput):
        request = read_request(file)
    body = {"invitation": invitation, "shard": request.get("shard"), "registration": request["registration"]}
    typer.echo(ask(service, "/registrations", body)["receipt"])


def receipt(
    asked: Annotated[str, typer.Argument(metavar="RECEIPT", help="What `apply` or `renew` printed.")],
    service: Service,
    as_json: AsJson = False,
) -> None:
    """What came of something that was asked. Exit code 1 where it was refused."""
    found = ask(service, "/receipts", {"receipt": asked})
    if as_json:
        typer.echo(json.dumps(found))
    else:
        named = f"{found.get('did')} shard {found.get('shard')} index {found.get('index')}" if found.get("did") else ""
        typer.echo(
            printable(" ".join(str(part) for part in (found.get("state"), named, found.get("reason") or "") if part))
        )
    if found.get("state") == "refused":
        raise typer.Exit(REFUSED)


def fetch(
    registrar: Did,
    shard_number: Shard,
    index: Index,
    service: Service,
    key: PersonKeystore,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the proof goes, 797 bytes.")],
    policy: Annotated[str | None, typer.Option(help="As a guardian: the person's policy of recovery.")] = None,
) -> None:
    """Fetch the proof of a person by a key of its own or a guardian's, and print its DID and the record that judges it."""
    from hutong.relay.base.durable_files import write_durably
    from hutong.relay.services.identity.rules.persons.person_proof import encode_person_proof

    place, opened = place_and_key(registrar, shard_number, index, key)
    proof, said = fetched(service, place, opened, policy)
    write_durably(out, encode_person_proof(proof))
    typer.echo(printable(str(said.get("did"))))
    typer.echo(printable(f"record {said.get('record')}"))


def renew(registrar: Did, shard_number: Shard, index: Index, service: Service, key: PersonKeystore, to: ToKey) -> None:
    """Change a person through the service: its committed key decides, or the present one. Prints the receipt."""
    from hutong.relay.services.identity.rules.persons.changing import Change, encode_change
    from hutong.relay.services.identity.rules.persons.person import leaf_of

    place, opened = place_and_key(registrar, shard_number, index, key)
    with refusing(MalformedInput):
        wanted = to.wanted(shard_number, index)
    proof, _ = fetched(service, place, opened, None)
    following = wanted.control(proof.person)
    entry = Change(index, proof.person, following, opened.change(place, leaf_of(proof.person), following))
    body = {"shard": shard_number, "change": encode_change(entry).hex()}
    typer.echo(ask(service, "/changes", body)["receipt"])


def place_and_key(registrar: str, shard_number: int, index: int, key: PersonKeystore) -> "tuple[Place, PersonKey]":
    """Where the person stands, and the key for the registrar's hub.

    Raises:
        Refused: not a DID of a hub, or the key does not open.
    """
    from hutong.relay.services.identity.rules.persons.person import Place

    with refusing(MalformedInput):
        place = Place(did_of_text(registrar), shard_number, index)
    return place, key.open(registrar.removeprefix("did:hutong:").rpartition(":")[0])


def fetched(service: str, place: "Place", key: "PersonKey", policy: str | None) -> "tuple[PersonProof, dict[str, Any]]":
    """The proof of this place, asked for by a key, and the whole answer.

    Raises:
        Refused: the service refuses, answers no proof, or that of another person.
    """
    from hutong.relay.services.identity.rules.persons.person_proof import decode_person_proof

    expires_s = int(time.time()) + ASKING_S
    body: dict[str, Any] = {"shard": place.shard, "index": place.index, "expires": expires_s}
    body["signature"] = key.ask(place, expires_s).hex()
    if policy is not None:
        body["policy"] = policy.removeprefix("0x")
    said = ask(service, "/proofs", body)
    try:
        proof = decode_person_proof(bytes.fromhex(str(said.get("proof"))))
    except (ValueError, VerificationError):
        raise Refused("the service answers no proof", REFUSED) from None
    if proof.place != place:
        raise Refused("the service answers the proof of another person", REFUSED)
    return proof, said


def ask(service: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """See `ask_registrar`.

    Raises:
        Refused: code 2 for an address without https, 1 where the service refuses or does not answer.
    """
    from hutong.relay.administration.errors import Declined, Unusable
    from hutong.relay.administration.identity.registrar_service import ask_registrar

    with refusing(Unusable, refused=(Declined,)):
        return ask_registrar(service, path, body)
