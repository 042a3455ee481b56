"""`hutong hub restart`: the genesis of the next revision, after the validators ended one."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import refusing


def restart(
    home: Annotated[Path, typer.Option(help="The home of a stopped node that has reached its revision's end.")],
    as_json: AsJson = False,
) -> None:
    """Write the genesis of the next revision, from the state after the last block. Compare its digest with the other members'
    before you start the node again. The old genesis stays beside it, and so do all blocks.

    Exit codes: 0 done, 2 the revision has not ended here.
    """
    from hutong.relay.hub.home.process import NodeRefused
    from hutong.relay.hub.upkeep.restart import restart as make

    with refusing(NodeRefused):
        made = make(home)
    genesis = made.genesis
    if as_json:
        typer.echo(json.dumps(made.as_dict()))
        return
    typer.echo(
        f"hub {genesis.chain_id} begins at block {genesis.base_height + 1}; its genesis has digest {genesis.digest.hex()}"
    )
    typer.echo(f"the genesis before it is in {made.previous_file}")
