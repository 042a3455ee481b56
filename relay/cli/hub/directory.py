"""`hutong hub directory-publisher`, `set-directory`: who publishes in the data directory, and how much at a time."""

from dataclasses import dataclass
from typing import Annotated

import typer

from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.submission import new_salt
from hutong.relay.cli.common.admin_options import AdminDecision
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.hub.storage import NOBODY, id_of

PublisherId = Annotated[str, typer.Argument(metavar="PUBLISHER", help="Its id, 64 hexadecimal digits.")]


@dataclass(frozen=True, slots=True)
class PublisherOptions:
    """The account of a publisher and how much it may have, or that it is named no more."""

    account: Annotated[str | None, typer.Option(metavar="0xADDRESS", help="The account that publishes for it.")] = None
    records: Annotated[
        int, typer.Option(min=0, max=2**40, help="Entries, and values of facets that nobody had before.")
    ] = 100_000
    remove: Annotated[bool, typer.Option("--remove", help="Name it no longer; what it published stays.")] = False

    def action(self, publisher: str) -> bytes:
        """The action for the hub's governance.

        Raises:
            Refused: code 2, the id or account is not one, or both or neither of the options are given.
        """
        from hutong.adapters.hub.admin import name_directory_publisher

        if self.remove == (self.account is not None):
            raise Refused("give --account or --remove", UNUSABLE)
        if self.account is None:
            return name_directory_publisher(new_salt(), id_of(publisher), NOBODY, 0)
        account = f"0x{address_of(self.account, '--account').hex()}"
        return name_directory_publisher(new_salt(), id_of(publisher), account, self.records)


@dataclass(frozen=True, slots=True)
class DirectoryOptions:
    """Parameters of the directory, both."""

    call_operations: Annotated[int, typer.Option(min=1, max=512, help="Operations of a call, at most.")] = 512
    block_operations: Annotated[int, typer.Option(min=1, max=65_536, help="Of one publisher in a block.")] = 1_024

    def action(self) -> bytes:
        """The action for the hub's governance."""
        from hutong.adapters.hub.admin import set_directory

        return set_directory(new_salt(), self.call_operations, self.block_operations)


def directory_publisher(publisher: PublisherId, options: PublisherOptions, *, admins: AdminDecision) -> None:
    """Name a publisher of the data directory, or no longer, by as many admins as the hub asks for."""
    admins.decide(options.action(publisher))
    typer.echo(f"publisher {publisher} is {'named no longer' if options.remove else options.account}")


def set_directory(options: DirectoryOptions, *, admins: AdminDecision) -> None:
    """Set both parameters of the data directory, by as many admins as the hub asks for; what is not named is the default."""
    admins.decide(options.action())
    typer.echo(f"{options.call_operations} operations in a call, {options.block_operations} of a publisher in a block")
