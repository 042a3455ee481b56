"""Which operations of the directory are meant: all, or those of one value of a facet."""

from dataclasses import dataclass
from typing import Annotated

import typer

from hutong.light_clients.interface import MalformedInput
from hutong.relay.cli.common.refusal import UNUSABLE, Refused, refusing
from hutong.relay.services.directory.rules.records.facets import EVERYTHING, Facet, FacetKind, name_code
from hutong.relay.verify.inputs import parse_hex


@dataclass(frozen=True, slots=True)
class FacetOptions:
    """At most one of them; without any, the whole log."""

    publisher: Annotated[str | None, typer.Option(metavar="ID", help="A publisher's id, 64 hexadecimal digits.")] = None
    origin: Annotated[str | None, typer.Option(metavar="CHAIN_ID", help="The chain of the publishers' accounts.")] = (
        None
    )
    theme: Annotated[str | None, typer.Option(metavar="IRI", help="A theme, as documents have it.")] = None
    format: Annotated[str | None, typer.Option(metavar="IRI", help="A format, as documents have it.")] = None

    @property
    def is_given(self) -> bool:
        """Whether one is named."""
        return any(one is not None for one in (self.publisher, self.origin, self.theme, self.format))

    def facet(self) -> Facet:
        """The facet.

        Raises:
            Refused: code 2, more than one is named. UnusableInput: an id is not one.
        """
        named = [
            (FacetKind.ORIGIN, self.origin),
            (FacetKind.THEME, self.theme),
            (FacetKind.FORMAT, self.format),
        ]
        given = [(kind, name) for kind, name in named if name is not None]
        if len(given) + (self.publisher is not None) > 1:
            raise Refused("name one of --publisher, --origin, --theme and --format", UNUSABLE)
        if self.publisher is not None:
            return Facet(FacetKind.PUBLISHER, parse_hex(self.publisher, "--publisher", 32))
        with refusing(MalformedInput):
            return next((Facet(kind, name_code(kind, name)) for kind, name in given), EVERYTHING)
