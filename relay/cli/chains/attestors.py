"""The attestors whom a new client shall believe, as options name them."""

from typing import Annotated

import typer

Attestors = Annotated[
    list[str], typer.Option("--attestor", help="Address of an attestor of the chain; once for each, if it is attested.")
]
Threshold = Annotated[
    int, typer.Option("--threshold", min=1, help="How many of its attestors must sign; more than half of them.")
]
