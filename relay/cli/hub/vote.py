"""`hutong hub vote`: an operator's vote, for a proposal whose content is proven and shown before anything is signed."""

from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.session import run_administration
from hutong.relay.cli.hub.governance import Number, OperatorOptions, time_text, trusted

if TYPE_CHECKING:
    from hutong.adapters.hub.proven_proposals import ProvenProposal


def vote(
    number: Number,
    reject: Annotated[bool, typer.Option("--reject", help="Withdraw or withhold approval.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Vote without asking: you know what its action must be.")] = False,
    *,
    operator: OperatorOptions,
) -> None:
    """Approve a proposal with your validator's power, or withdraw that. The vote that makes more than two thirds executes it.

    First the proposal is proven from the hub's genesis file, or from the header that you trust (`genesis` and
    `trusted_header` in the configuration), and shown; then you are asked.

    Exit codes: 0 recorded, 1 refused, by the hub, by you, or because nothing proves it, 2 unusable input, 3 decided by it and
    its action was refused.
    """
    from hutong.relay.administration.hub import governance

    hub_chain = operator.hub_chain
    trust = trusted(hub_chain)
    if trust is None:
        raise Refused(
            f"a vote is for a proposal that is proven: name the hub's genesis file in the configuration of {hub_chain.name},"
            ' as genesis = "genesis.json"',
            UNUSABLE,
        )
    proposal = run_administration(partial(governance.prove_proposal, hub_chain, trust, number))
    typer.echo(_shown(proposal), err=True)
    if not yes and not typer.confirm("Withdraw approval?" if reject else "Approve it?", err=True):
        raise Refused("nothing was signed", REFUSED)
    operator.decide(partial(governance.vote, operator.hub_chain, operator.open(), trust, number, approve=not reject))


def _shown(proposal: "ProvenProposal") -> str:
    """Its proposer chose words of it, which must not move the cursor of a terminal."""
    from hutong.relay.administration.hub.governance import describe

    words = (
        f"proposal {proposal.number}: {describe(proposal.action)} ({proposal.title}), by {proposal.account} in block"
        f" {proposal.height}, until {time_text(proposal.expires_s)}; its action has {len(proposal.action)} bytes of SHA-256"
        f" {sha256(proposal.action).hexdigest()}"
    )
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in words)
