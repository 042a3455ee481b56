"""`hutong hub vote`: an operator's vote, for a proposal whose content is proven and shown before anything is signed."""

from functools import partial
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.hub_trust import proven_proposals
from hutong.relay.cli.chains.quota import open_hub
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, hub_of, run_administration
from hutong.relay.cli.hub.governance import (
    Number,
    Operator,
    OperatorPassword,
    decide,
    describe,
    require_governed,
    time_text,
    trusted,
)
from hutong.relay.config import HubChainConfig

if TYPE_CHECKING:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.hub.governance import Decision
    from hutong.adapters.hub.proven_proposals import ProvenProposal
    from hutong.adapters.hub.verified_state import HubTrust
    from hutong.adapters.ics26.transactor import Transactor


def vote(
    number: Number,
    config: ConfigFile,
    operator: Operator,
    operator_password_file: OperatorPassword = None,
    reject: Annotated[bool, typer.Option("--reject", help="Withdraw or withhold approval.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Vote without asking: you know what its action must be.")] = False,
    hub: HubName = None,
    as_json: AsJson = False,
) -> None:
    """Approve a proposal with your validator's power, or withdraw that. The vote that makes more than two thirds executes it.

    First the proposal is proven from the hub's genesis file, or from the header that you trust (`genesis` and
    `trusted_header` in the configuration), and shown; then you are asked.

    Exit codes: 0 recorded, 1 refused, by the hub, by you, or because nothing proves it, 2 unusable input, 3 decided by it and
    its action was refused.
    """
    from hutong.adapters.hub import governance

    hub_chain = hub_of(config_of(config), hub)
    trust = trusted(hub_chain)
    if trust is None:
        raise Refused(
            f"a vote is for a proposal that is proven: name the hub's genesis file in the configuration of {hub_chain.name},"
            ' as genesis = "genesis.json"',
            UNUSABLE,
        )
    proposal = run_administration(partial(_prove, hub_chain, trust, number))
    typer.echo(_shown(proposal), err=True)
    if not yes and not typer.confirm("Withdraw approval?" if reject else "Approve it?", err=True):
        raise Refused("nothing was signed", REFUSED)

    async def act(chain: "HubChain", transactor: "Transactor") -> "Decision":
        await proven_proposals(chain, trust)
        return await governance.vote(transactor, number, approve=not reject)

    decide(config, hub, operator, operator_password_file, act, as_json=as_json)


async def _prove(hub: HubChainConfig, trust: "HubTrust", number: int, random: Random) -> "ProvenProposal":
    async with open_hub(hub, random) as chain:
        await require_governed(chain.execution)
        proven = await proven_proposals(chain, trust)
        return await proven.read(number, (await chain.head()).height)


def _shown(proposal: "ProvenProposal") -> str:
    """Its proposer chose words of it, which must not move the cursor of a terminal."""
    words = (
        f"proposal {proposal.number}: {describe(proposal.action)} ({proposal.title}), by {proposal.account} in block"
        f" {proposal.height}, until {time_text(proposal.expires_s)}; its action has {len(proposal.action)} bytes of SHA-256"
        f" {sha256(proposal.action).hexdigest()}"
    )
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in words)
