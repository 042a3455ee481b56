"""`hutong demo`: the whole lane on one machine, made of the same commands that an operator types."""

from relay.cli.demo.command import app

__all__ = ["app"]
