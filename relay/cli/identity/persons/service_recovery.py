"""`hutong identity person vouch | plead | stop | finish`: recoveries through a registrar's service, without a node."""

from typing import Annotated, Any

import typer

from hutong.light_clients.interface import MalformedInput, VerificationError
from hutong.relay.administration.identity.identifiers import did_of_text
from hutong.relay.cli.common.refusal import REFUSED, Refused, refusing
from hutong.relay.cli.identity.organisation import Did
from hutong.relay.cli.identity.persons.asking import Service, ask, fetched, place_and_key
from hutong.relay.cli.identity.persons.options import Index, PersonKeystore, Shard, ToKey, hex_of

Policy = Annotated[str, typer.Option(help="The policy that the person committed to, as its request says it.")]
Expires = Annotated[int, typer.Option(min=1, help="Until when it may begin, Unix seconds; at most a week ahead.")]


def vouch(
    registrar: Did,
    shard_number: Shard,
    index: Index,
    service: Service,
    key: PersonKeystore,
    to: ToKey,
    policy: Policy,
    expires: Expires,
) -> None:
    """Sign, as a guardian, that a recovery may begin, of the person as the service shows it; prints control and signature."""
    from hutong.relay.services.identity.rules.persons.changing import encode_control
    from hutong.relay.services.identity.rules.persons.person import leaf_of

    place, opened = place_and_key(registrar, shard_number, index, key)
    with refusing(MalformedInput):
        wanted = to.wanted(shard_number, index)
    proof, _ = fetched(service, place, opened, policy)
    following = wanted.control(proof.person)
    typer.echo(f"following {encode_control(following).hex()}")
    typer.echo(f"signature {opened.approve(place, leaf_of(proof.person), following, expires).hex()}")


def plead(
    registrar: Did,
    shard_number: Shard,
    index: Index,
    service: Service,
    following: Annotated[str, typer.Option(help="Who is to control the person, as `vouch` prints it.")],
    policy: Policy,
    expires: Expires,
    signature: Annotated[
        list[str], typer.Option("--signature", help="Of a guardian, in the order of their accounts; repeatable.")
    ],
) -> None:
    """Begin a recovery by guardians' signatures; prints the receipt."""
    said = {
        "following": hex_of("--following", following).hex(),
        "policy": hex_of("--policy", policy).hex(),
        "expires": expires,
        "signatures": [hex_of("--signature", one).hex() for one in signature],
    }
    typer.echo(ask(service, "/recoveries", _of(registrar, shard_number, index) | said)["receipt"])


def stop(registrar: Did, shard_number: Shard, index: Index, service: Service, key: PersonKeystore) -> None:
    """End a recovery that waits, with the present key of the person; prints the receipt."""
    from hutong.light_clients.crypto import sha256
    from hutong.relay.services.identity.rules.persons.person import leaf_of
    from hutong.relay.services.identity.rules.persons.person_recovery_record import decode_person_recovery_record

    place, opened = place_and_key(registrar, shard_number, index, key)
    proof, said = fetched(service, place, opened, None)
    if said.get("recovery") is None:
        raise Refused("no recovery stands there", REFUSED)
    try:
        raw = bytes.fromhex(str(said["recovery"]))
        is_of_person = decode_person_recovery_record(raw).leaf == leaf_of(proof.person)
    except (ValueError, VerificationError):
        raise Refused("the service answers no record of a recovery", REFUSED) from None
    if not is_of_person:
        raise Refused("the recovery that stands there has ended by a change", REFUSED)
    body = _of(registrar, shard_number, index) | {"signature": opened.cancel(place, sha256(raw)).hex()}
    typer.echo(ask(service, "/recoveries/cancel", body)["receipt"])


def finish(registrar: Did, shard_number: Shard, index: Index, service: Service) -> None:
    """Let a recovery take effect whose delay is over; anybody may. Prints the receipt."""
    typer.echo(ask(service, "/recoveries/complete", _of(registrar, shard_number, index))["receipt"])


def _of(registrar: str, shard_number: int, index: int) -> dict[str, Any]:
    with refusing(MalformedInput):
        did_of_text(registrar)
    return {"shard": shard_number, "index": index}
