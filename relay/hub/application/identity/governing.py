"""What a hub's governance says of identity: roots of accreditation, and parameters, which genesis may give as a table."""

from typing import Any

from hutong.light_clients.interface.document import Document
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.identity.accreditations import grant_root, revoke
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import GOVERNANCE, Grant
from hutong.relay.services.identity.rules.records.keys import ANY_SCHEMA
from hutong.relay.services.identity.rules.records.parameters import (
    DEFAULTS,
    MAX_STRANGER_LIFE_S,
    MAX_STRANGERS,
    MIN_STRANGER_LIFE_S,
    Parameters,
    encode_parameters,
)

REVOKED = (0, 0)
"""A window that revokes."""


def accredit_root(registry: Registry, place: tuple[bytes, bytes], depth: int, window_s: tuple[int, int]) -> None:
    """Accredit a DID for a schema, in place of whatever stands there; or revoke what stands, whoever granted it.

    Args:
        place: the DID and the schema, or `ANY_SCHEMA`. The DID need not be registered yet.

    Raises:
        UnknownAccreditation: nothing is there to revoke.
        PredicateFailed: `window_is_ahead`.
        MalformedInput: a depth or window out of its bounds.
    """
    subject, schema = place
    if window_s != REVOKED:
        grant_root(registry, subject, schema, Grant(GOVERNANCE, ANY_SCHEMA, depth, *window_s))
        return
    standing = registry.find_accreditation(subject, schema)
    revoke(registry, GOVERNANCE if standing is None else standing.grant.accreditor, subject, schema)


def set_identity(registry: Registry, persons: bool, strangers: int, stranger_life_s: int) -> None:
    """Set the module's parameters. Whoever has a place in the lane of strangers keeps it.

    Raises:
        MalformedInput: a number out of its bounds.
    """
    registry.set_parameters(Parameters(persons, strangers, stranger_life_s))


def take_up_identity(store: Store, rules_version: int, said: Parameters | None) -> None:
    """Write the parameters where the rules have them and the state does not: those of genesis, or the defaults."""
    if rules_version >= rules_versions.IDENTITY and store.get(keys.PARAMETERS_KEY) is None:
        store.set(keys.PARAMETERS_KEY, encode_parameters(said or DEFAULTS))


def read_table(document: Document) -> Parameters:
    """The genesis table `identity`.

    Raises:
        MalformedInput: a member is missing, unknown or out of its bounds.
    """
    with document.members() as fields:
        return Parameters(
            fields["persons"].flag(),
            fields["strangers"].integer(0, MAX_STRANGERS),
            fields["stranger_life_s"].integer(MIN_STRANGER_LIFE_S, MAX_STRANGER_LIFE_S),
        )


def write_table(parameters: Parameters) -> dict[str, Any]:
    """Inverse of `read_table`, as JSON values."""
    return {
        "persons": parameters.persons,
        "strangers": parameters.strangers,
        "stranger_life_s": parameters.stranger_life_s,
    }
