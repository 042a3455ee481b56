"""The endpoint of a chain that a command asks without a configuration."""

from typing import Annotated

import typer

Rpc = Annotated[str, typer.Option(help="JSON-RPC endpoint of the chain.")]
ChainId = Annotated[int, typer.Option(help="EIP-155 id that the endpoint must have.", min=1)]
