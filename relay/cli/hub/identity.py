"""`hutong hub accredit-root`, `set-identity`: whom the hub's governance accredits, and what it lets strangers have."""

from dataclasses import dataclass
from typing import Annotated

import typer

from hutong.relay.administration.identity.identifiers import did_of_text, schema_of_text
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.admin_options import AdminDecision

MAX_TIME_S = 2**63 - 1
REVOKED_S = (0, 0)

Did = Annotated[str, typer.Argument(metavar="DID", help="did:hutong:<hub>:<id>, or the id as 64 hexadecimal digits.")]
Persons = Annotated[bool, typer.Option("--persons/--organisations", help="Who may be registered.")]
Strangers = Annotated[int, typer.Option(min=0, max=4_096, help="Places for DIDs that nobody has accredited.")]
StrangerLife = Annotated[
    int, typer.Option(min=3_600, max=31_536_000, help="Seconds after which a stranger's place may be taken.")
]


@dataclass(frozen=True, slots=True)
class RootOptions:
    """What a root is accredited for."""

    schema: Annotated[
        str | None, typer.Option(help="SHA-256 of a schema, 64 hexadecimal digits; without it for all schemas.")
    ] = None
    depth: Annotated[int, typer.Option(min=0, max=4, help="Levels that may follow below it.")] = 4
    until: Annotated[int, typer.Option(min=1, max=MAX_TIME_S, help="Unix seconds at which it ends.")] = MAX_TIME_S
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the accreditation back, whoever granted it.")] = False

    def action(self, did: str) -> bytes:
        """The action for the hub's governance.

        Raises:
            Unusable: the DID or schema is not one.
        """
        from hutong.adapters.hub.admin import accredit_root as accredited

        window_s = REVOKED_S if self.revoke else (0, self.until)
        depth = 0 if self.revoke else self.depth
        return accredited(new_salt(), did_of_text(did), schema_of_text(self.schema), depth, window_s)


def accredit_root(did: Did, root: RootOptions, *, admins: AdminDecision) -> None:
    """Make an organisation a root of accreditation on the hub, by as many admins as the hub asks for."""
    admins.decide(root.action(did))
    typer.echo(f"{did} {'is no longer accredited' if root.revoke else 'is accredited'}")


def set_identity(persons: Persons, strangers: Strangers, stranger_life: StrangerLife, *, admins: AdminDecision) -> None:
    """Say who may be registered on the hub, and how many places there are for DIDs that nobody has accredited."""
    from hutong.adapters.hub.admin import set_identity as said

    admins.decide(said(new_salt(), persons, strangers, stranger_life))
    typer.echo(f"{strangers} places for strangers")
