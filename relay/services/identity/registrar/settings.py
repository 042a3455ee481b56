"""The `[registrar]` table of `identity.toml`.

Example:

    [registrar]
    folder = "shards"                       # leaves, made from the hub's blocks; can be thrown away

    [registrar.hub]
    did = "did:hutong:hutong:6d…"           # of the registrar, accredited under the schema of persons
    chain_id = "hutong-1"
    rpc = ["http://127.0.0.1:8545"]
    consensus_rpc = ["http://127.0.0.1:26657"]
    account = { keystore = "keys/log.json", password_file = "keys/password" }
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from hutong.relay.config import Problem, key_problems
from hutong.relay.config.fields import FilePath, Model
from hutong.relay.services.identity.daemon.hub_access import HubAccess
from hutong.relay.services.identity.rules.records.keys import hub_name


class RegistrarConfig(Model):
    """Who registers persons, and how what they ask is brought to the hub."""

    hub: HubAccess
    folder: FilePath
    """Where the shards' leaves are kept; made where it is not there."""
    collect_s: Annotated[int, Field(ge=0, le=3_600)] = 5
    """For so long what persons ask is collected into one batch, unless a whole one is there earlier."""
    max_waiting: Annotated[int, Field(ge=1, le=1_000_000)] = 100_000
    """Of all that was asked and does not stand on the hub yet; more is refused as busy."""
    kept_days: Annotated[int, Field(ge=1, le=365)] = 30
    """Whole days for which a receipt tells what came of it."""


def registrar_problems(registrar: RegistrarConfig, table: str) -> Iterator[Problem]:
    """Keystores that cannot be used, and a DID of another hub."""
    yield from key_problems(registrar.hub.account, f"{table}.hub.account")
    named = registrar.hub.did.split(":")[2]
    if named != hub_name(registrar.hub.chain_id):
        yield Problem(
            f"{table}.hub.did", f"is of the hub {named}", f"name the chain id of that hub in {table}.hub.chain_id"
        )
