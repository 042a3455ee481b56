"""`hutong identity accredit`, `withdraw`, `deactivate`: whom an organisation lets issue, and the end of a DID."""

from typing import Annotated

import typer

from hutong.relay.administration.identity.identifiers import schema_of_text
from hutong.relay.cli.identity.organisation import MAX_TIME_S, Controller, Did

Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="DID of the organisation that is accredited.")]
Schema = Annotated[
    str | None, typer.Option("--schema", help="SHA-256 of the schema, 64 hexadecimal digits; without it all schemas.")
]


def accredit(
    did: Did,
    subject: Subject,
    controller: Controller,
    schema: Schema = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Schema of your own accreditation, if it is not the same: `all`.")
    ] = None,
    depth: Annotated[int, typer.Option(min=0, max=3, help="Levels that the subject may have below itself.")] = 0,
    until: Annotated[int, typer.Option(min=1, max=MAX_TIME_S, help="Unix seconds at which it ends.")] = MAX_TIME_S,
) -> None:
    """Let an organisation issue credentials of a schema, and with a depth accredit others; it need not be registered yet."""
    from hutong.relay.hub.application.identity import interface

    chosen = schema_of_text(schema)
    parent = chosen if by is None else schema_of_text(None if by == "all" else by)
    whom = controller.account.did(subject)
    controller.decide(interface.GRANT_ACCREDITATION, did, whom, chosen, parent, depth, 0, until)
    typer.echo(f"{subject} is accredited by {did}")


def withdraw(did: Did, subject: Subject, controller: Controller, schema: Schema = None) -> None:
    """Revoke an accreditation that this DID granted; a second time its record is taken out, which gives room."""
    from hutong.relay.hub.application.identity import interface

    controller.decide(interface.REVOKE_ACCREDITATION, did, controller.account.did(subject), schema_of_text(schema))
    typer.echo(f"{subject} is no longer accredited by {did}")


def deactivate(did: Did, controller: Controller) -> None:
    """End a DID for ever, after each of its keys has ended."""
    from hutong.relay.hub.application.identity import interface

    controller.decide(interface.DEACTIVATE, did)
    typer.echo(f"{did} is deactivated")
