"""`hutong identity issue` and `revoke`: what departments do at a terminal, beside a daemon or without one."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hutong.light_clients.interface import VerificationError
from hutong.relay.base.os_errors import os_reason
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused, refusing
from hutong.relay.cli.identity.serve import IdentityFile

if TYPE_CHECKING:
    from hutong.relay.services.identity.issuer.settings import IssuerConfig
    from hutong.relay.services.identity.serving.configuration import IdentityConfig
    from hutong.relay.services.identity.store.transactions import Database

OFFERS_OF_A_TRANSACTION = 500


@dataclass(frozen=True, slots=True)
class OfferOptions:
    """How the offers are taken."""

    reference: Annotated[
        str | None, typer.Option(help="Your name for the case, by which you revoke; in a table the column `reference`.")
    ] = None
    transaction_code: Annotated[
        bool, typer.Option(help="A code of six digits that you hand on by another way than the link.")
    ] = True
    by_login: Annotated[
        bool, typer.Option("--by-login", help="By the issuer's page in a browser (code flow), which asks for the code.")
    ] = False
    hold: Annotated[
        bool, typer.Option("--hold", help="Wallets ask, and get the credentials when you release the reference.")
    ] = False
    hours: Annotated[int | None, typer.Option(min=1, help="How long they stand; without it as long as may be.")] = None

    def body(self, kind: str, row: dict[str, Any]) -> dict[str, Any]:
        """As the daemon's door takes an offer."""
        reference = row.pop("reference", self.reference)
        body: dict[str, Any] = {
            "type": kind,
            "claims": row,
            "reference": reference,
            "transaction_code": self.transaction_code,
            "by_login": self.by_login,
            "hold": self.hold,
        }
        return body if self.hours is None else {**body, "expires_in_s": self.hours * 3_600}


def issue(
    config: IdentityFile,
    kind: Annotated[str, typer.Option("--type", help="Identifier of the type, as the file has it.")],
    claims: Annotated[
        Path,
        typer.Option(
            help="One object in .json; many in .jsonl, one a line, or in .csv (`name:boolean`, `name:integer`)."
        ),
    ],
    options: OfferOptions,
) -> None:
    """Offer credentials: prints one JSON object an offer, with the link for the wallet and the transaction code.

    The daemon that has the same file hands them out. 0 done, 2 unusable: nothing of a file is offered from the line on that
    is wrong.
    """
    from hutong.relay.services.identity.issuer.desk_routes import wish_of
    from hutong.relay.services.identity.issuer.offering import OfferWish, make_offer

    loaded = _loaded(config)
    issuer, server = _issuer(loaded, config), loaded.server
    now_s = int(time.time())

    def wishes() -> Iterator[OfferWish]:
        for number, row in enumerate(_rows(claims), 1):
            try:
                yield wish_of(issuer, options.body(kind, row), now_s)
            except VerificationError as error:
                raise Refused(f"{claims}, entry {number}: {error}", UNUSABLE) from None

    with _database(loaded) as database:
        every = wishes()
        while chunk := list(islice(every, OFFERS_OF_A_TRANSACTION)):
            made = database.run_now(
                lambda connection, some=chunk: [  # type: ignore[misc]  # a default binds the chunk of this turn
                    make_offer(connection, server.public_url, one, os.urandom) for one in some
                ]
            )
            for wish, offer in zip(chunk, made, strict=True):
                typer.echo(json.dumps({"reference": wish.reference, **offer.fields()}))


def release(
    config: IdentityFile,
    reference: Annotated[str, typer.Option(help="What was offered under it with --hold.")],
    as_json: AsJson = False,
) -> None:
    """Release what is held: wallets that ask again get their credentials. 0 done, 1 nothing is held so."""
    from hutong.relay.services.identity.issuer.deferring import release as release_in
    from hutong.relay.services.identity.issuer.offering import checked_reference

    with refusing(VerificationError):
        named = checked_reference(reference) or ""
    loaded = _loaded(config)
    _issuer(loaded, config)
    now_s = int(time.time())
    with _database(loaded) as database:
        released = database.run_now(lambda connection: release_in(connection, named, now_s))
    if released == 0:
        raise Refused("nothing is held so", REFUSED)
    typer.echo(json.dumps({"released": released}) if as_json else f"{released} offers are released by this")


def revoke(
    config: IdentityFile,
    reference: Annotated[str | None, typer.Option(help="All that was issued under it; its offers end.")] = None,
    list_number: Annotated[int | None, typer.Option("--list", min=0, help="Number of a list.")] = None,
    index: Annotated[int | None, typer.Option(min=0, help="The credential's place in it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Revoke credentials: the daemon takes it up within a second. Nothing takes it back. 0 done, 1 nothing was issued so."""
    from hutong.relay.services.identity.issuer.revoking import Revocation
    from hutong.relay.services.identity.issuer.revoking import revoke as revoke_in

    given: dict[str, Any] = {"reference": reference, "list": list_number, "index": index}
    with refusing(VerificationError):
        revocation = Revocation.of({name: value for name, value in given.items() if value is not None})
    loaded = _loaded(config)
    _issuer(loaded, config)
    with _database(loaded) as database:
        revoked = database.run_now(lambda connection: revoke_in(connection, revocation))
    if revoked.refusal is not None:
        raise Refused(revoked.refusal, REFUSED)
    said = f"{revoked.risen} of {revoked.found} credentials are revoked by this"
    typer.echo(json.dumps({"revoked": revoked.risen}) if as_json else said)


def _loaded(file: Path) -> "IdentityConfig":
    from hutong.relay.config import ConfigError
    from hutong.relay.services.identity.serving.configuration import load_identity_config

    with refusing(ConfigError):
        return load_identity_config(file)


@contextmanager
def _database(config: "IdentityConfig") -> Iterator["Database"]:
    from hutong.relay.services.identity.daemon.errors import RoleUnusable
    from hutong.relay.services.identity.store.database import open_database
    from hutong.relay.services.identity.store.transactions import Database, StoreUnavailable

    with refusing(RoleUnusable, StoreUnavailable), open_database(config.server) as engine:
        yield Database(engine)


def _issuer(config: "IdentityConfig", file: Path) -> "IssuerConfig":
    if config.issuer is None:
        raise Refused(f"{file} has no [issuer] table", UNUSABLE)
    return config.issuer


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    from hutong.relay.services.identity.issuer.claim_files import read_claims

    try:
        yield from read_claims(file)
    except VerificationError as error:
        raise Refused(f"{file}: {error}", UNUSABLE) from None
    except OSError as error:
        raise Refused(f"{file} cannot be read: {os_reason(error)}", UNUSABLE) from None
