"""The `hutong` command: each subcommand is a module of this package, imported only when it is used."""

import os
import sys
from importlib import import_module, metadata
from typing import Annotated, Any

import typer
from typer.core import CompletionItem  # type: ignore[attr-defined]
from typer.main import get_command

from hutong.light_clients.interface.interpreter import unfit_interpreter
from hutong.relay.base.extras import install_hint, missing_extra
from hutong.relay.base.first_collection import defer_first_collection
from hutong.relay.base.import_path import safe_environment
from hutong.relay.base.os_errors import os_reasons
from hutong.relay.cli.common.command_group import CommandGroup, command_group
from hutong.relay.cli.common.refusal import UNUSABLE

SUBCOMMANDS = {
    "demo": (
        "hutong.relay.cli.operator.demo",
        "Start a whole network, send messages and tokens, and check the chains.",
    ),
    "city": (
        "hutong.relay.cli.operator.city",
        "A hub, chains of several kinds, a signed log and a relay on one machine: start, look, stop.",
    ),
    "verify": (
        "hutong.relay.cli.audit.verify",
        "Check files from real chains offline: headers and proofs, predicate by predicate.",
    ),
    "layout": (
        "hutong.relay.cli.audit.layout",
        "Slots of a Solidity contract's state variables by name, and what their words say.",
    ),
    "audit": (
        "hutong.relay.cli.audit.command",
        "Export proof bundles; re-verify them and whole periods offline from checkpoints.",
    ),
    "prove": (
        "hutong.relay.cli.audit.prove",
        "Show what a chain's state holds in a file that is judged offline.",
    ),
    "identity": (
        "hutong.relay.cli.identity.command",
        "Decentralised identifiers and credentials, resolved and judged on this machine.",
    ),
    "wallet": (
        "hutong.relay.cli.wallet.command",
        "A wallet of credentials: accept offers, present to verifiers and contracts.",
    ),
    "storage": (
        "hutong.relay.cli.storage.command",
        "Trusted storage: shards of objects over operators that prove what they hold.",
    ),
    "directory": (
        "hutong.relay.cli.directory.command",
        "The data directory: entries on record, and policies under which data are shared.",
    ),
    "archive": (
        "hutong.relay.cli.audit.archive",
        "Keep proof bundles for years: append, verify, prune, anchor on the hub, prove.",
    ),
    "hub": ("hutong.relay.cli.hub.command", "Run a hub validator."),
    "devnet": ("hutong.relay.cli.operator.devnet", "Run an EVM consortium chain for development."),
    "relay": ("hutong.relay.cli.operator.relay", "Run the relay."),
    "api": ("hutong.relay.cli.operator.api", "Serve the HTTP API and the explorer; its keys."),
    "attest": ("hutong.relay.cli.operator.attest", "Attest what a chain without provable consensus holds."),
    "pending": ("hutong.relay.cli.operator.pending", "List unsettled packets with age and reason."),
    "observations": (
        "hutong.relay.cli.operator.observations",
        "Values of other chains that the relay keeps as records on a hub: age, and what holds them up.",
    ),
    "show": (
        "hutong.relay.cli.operator.show",
        "Show the whole life of a packet: times, heights, hashes, costs, both legs.",
    ),
    "why": ("hutong.relay.cli.operator.why", "Say in one sentence what a packet waits for and what to do."),
    "deploy": (
        "hutong.relay.cli.chains.deploy",
        "Deploy Router, Mailbox, Transfer and applications onto an EVM chain.",
    ),
    "reader": ("hutong.relay.cli.chains.reader", "A contract that reads other chains' state, by the hub's records."),
    "feed": ("hutong.relay.cli.chains.feed", "Values that k of n signers report: sign one, push a round, look at it."),
    "anchor": ("hutong.relay.cli.chains.anchor", "Roots over the entries of a window, on a chain; entries proven."),
    "roles": ("hutong.relay.cli.chains.roles", "Who may do what on a chain's contracts, compared with a file."),
    "path": ("hutong.relay.cli.chains.path", "Connect two chains: a light client of each on the other."),
    "peer": ("hutong.relay.cli.chains.peer", "Say which remote chains a Mailbox listens to."),
    "transfer": ("hutong.relay.cli.chains.transfer", "Send tokens; limits, releases and claims of a Transfer."),
    "client": ("hutong.relay.cli.chains.client", "List, inspect, update and recover light clients."),
    "keys": ("hutong.relay.cli.operator.keys", "Encrypted keystores, and keys on tokens."),
    "signer": (
        "hutong.relay.cli.operator.signer",
        "Sign for others what a key's policy allows, and write it down.",
    ),
    "accel": (
        "hutong.relay.cli.operator.accel",
        "Try the engines of cryptography and measure them beside their plain paths.",
    ),
    "config": ("hutong.relay.cli.operator.config", "Check a configuration file."),
}


OWN_PACKAGE = "hutong"


class LateGroup(CommandGroup):
    """Lists subcommands from the table above and imports one when it is called: web3 alone costs more than a second."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the table, which help and completion show."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the subcommand's module; None for a name that is not in the table.

        Raises:
            ModuleNotFoundError: the distribution was installed without what the command needs; `main` says so.
        """
        if cmd_name not in SUBCOMMANDS:
            return None
        module, summary = SUBCOMMANDS[cmd_name]
        command = get_command(import_module(module).app)
        command.name = cmd_name
        command.help = command.short_help = summary
        return command

    def shell_complete(self, ctx: Any, incomplete: str) -> "list[CompletionItem]":
        """Names from the table: nobody waits at a TAB for the import of twenty commands."""
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [
            CompletionItem(name, help=summary)
            for name, (_, summary) in SUBCOMMANDS.items()
            if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The table itself, for `--help`: no subcommand is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in SUBCOMMANDS.items()])


WHAT_IT_IS = """A cross-chain relay and bridge: every hop is believed only because a light client checked it.

Exit codes: 0 done and good, 1 judged and refused, 2 unusable input.
"""

app = command_group(WHAT_IT_IS, cls=LateGroup, completion=True)


def _version(value: bool) -> None:
    if value:
        typer.echo(metadata.version("hutong"))
        raise typer.Exit


@app.callback()
def hutong(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What `hutong` takes without a subcommand."""


def main() -> None:
    """Entry point of the distribution. Installed for the audit alone, it has not what relays, hubs and dev chains need.

    Raises:
        SystemExit: always. Code 2 also for an unfit interpreter, a missing module, and what the system refuses (disk,
            port, file).
    """
    defer_first_collection()
    safe_environment(os.environ)  # also for processes that libraries start
    reason = unfit_interpreter()
    if reason is not None:
        typer.echo(reason, err=True)
        raise SystemExit(UNUSABLE)
    try:
        app()
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module == OWN_PACKAGE:
            raise
        extra = missing_extra("".join(sys.argv[1:2]), module)
        typer.echo(f"this command needs more (there is no module {module}); {install_hint(extra)}", err=True)
        raise SystemExit(UNUSABLE) from None
    except (OSError, BaseExceptionGroup) as error:
        # Full and read-only disks, taken ports, unreadable files: what no command said better itself.
        sentences = os_reasons(error)
        if sentences is None:
            raise
        for sentence in sentences:
            typer.echo(sentence, err=True)
        raise SystemExit(UNUSABLE) from None
