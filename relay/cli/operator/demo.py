"""`hutong demo`."""

import shutil
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.refusal import REFUSED, STOPPED, UNUSABLE, Refused, refusing
from hutong.relay.demo.bundles import Bundles
from hutong.relay.demo.chaos import Chaos
from hutong.relay.demo.lane import Lane
from hutong.relay.demo.running import Ending, Run, run_to_its_end
from hutong.relay.local.cometbft_hub import CometbftEngine
from hutong.relay.local.hub import EmbeddedEngine, HubEngine
from hutong.relay.local.network_hub import NetworkEngine
from hutong.relay.local.programs import ProgramMissing, find_program
from hutong.relay.local.traffic import Traffic

MAX_MESSAGES = 10_000
MAX_TRANSFERS = 1_000

EXIT_CODES = {Ending.GOOD: 0, Ending.BAD: REFUSED, Ending.FAILED: REFUSED, Ending.STOPPED: STOPPED}

app = command_group()


class Engine(StrEnum):
    """What drives the hub."""

    EMBEDDED = "embedded"
    COMETBFT = "cometbft"


@dataclass(frozen=True, slots=True)
class HubOptions:
    """What drives the demo's hub."""

    hub: Annotated[
        Engine,
        typer.Option(
            help="One validator that drives itself, or four under CometBFT; of these one is killed, and a fifth node joins."
        ),
    ] = Engine.EMBEDDED
    validators: Annotated[
        int | None,
        typer.Option(help="So many validators as each other's peers, without CometBFT; one is killed.", min=4, max=16),
    ] = None
    cometbft: Annotated[Path | None, typer.Option(help="The program cometbft, 0.38 (default: on the PATH).")] = None

    def engine(self) -> HubEngine:
        """The same as the demo starts it.

        Raises:
            ProgramMissing: there is no CometBFT.
            Refused: code 2, the options do not go together.
        """
        if self.hub is Engine.COMETBFT:
            if self.validators is not None:
                raise Refused("not supported: --hub cometbft with --validators (it has four)", UNUSABLE)
            return CometbftEngine(find_program("cometbft", self.cometbft))
        return EmbeddedEngine() if self.validators is None else NetworkEngine(self.validators)


@dataclass(frozen=True, slots=True)
class LaneOptions:
    """What happens between three EVM chains."""

    messages: Annotated[
        int,
        typer.Option(
            help="How many packets: a fifth are tokens that go out, a fifth the same coming home, a tenth is made to time out.",
            min=1,
            max=MAX_MESSAGES,
        ),
    ] = 20
    chaos: Annotated[
        bool, typer.Option(help="Kill the relay, wipe its queue, and put a hostile proxy before each of its endpoints.")
    ] = False
    seed: Annotated[int, typer.Option(help="Of the chaos.", min=0)] = 1
    bundles: Annotated[
        Path | None, typer.Option(help="Folder for checkpoints and the proof bundle of every packet (hutong audit).")
    ] = None

    def run(self, engine: HubEngine) -> Run:
        """The demo of EVM chains."""
        kept = None if self.bundles is None else Bundles(self.bundles)
        return Lane(Traffic.of(self.messages), Chaos(self.seed) if self.chaos else None, engine, kept)


@dataclass(frozen=True, slots=True)
class CosmosOptions:
    """What happens between a Cosmos chain and an EVM chain."""

    cosmos: Annotated[
        bool,
        typer.Option(
            help="A stock ibc-go chain, the hub (of any kind) and one EVM chain instead; the relay is killed on the way."
        ),
    ] = False
    transfers: Annotated[
        int, typer.Option(help="With --cosmos: token transfers each way; all come home.", min=1, max=MAX_TRANSFERS)
    ] = 20
    timeouts: Annotated[
        int, typer.Option(help="With --cosmos: transfers made to time out on each leg.", min=2, max=MAX_TRANSFERS)
    ] = 4
    simd: Annotated[Path | None, typer.Option(help="The program simd of ibc-go v10 (default: on the PATH).")] = None

    def run(self, engine: HubEngine) -> Run:
        """The demo with a Cosmos chain.

        Raises:
            ProgramMissing: there is no simd.
        """
        from hutong.relay.demo.cosmos.lane import CosmosLane

        return CosmosLane(find_program("simd", self.simd), self.transfers, self.timeouts, engine)


@app.command()
def demo(
    json_: Annotated[
        bool, typer.Option("--json", help="Print the checker's findings as JSON, progress on stderr.")
    ] = False,
    keep: Annotated[bool, typer.Option(help="Leave everything running until Ctrl-C, and keep the files.")] = False,
    home: Annotated[
        Path | None, typer.Option(help="Folder for the files, new or empty (default: a temporary one).")
    ] = None,
    *,
    evm: LaneOptions,
    driven: HubOptions,
    with_cosmos: CosmosOptions,
) -> None:
    """Start a hub, three chains and a relay as separate processes, send messages and tokens, and check the chains.

    Exit code 0 if every packet was delivered once and acknowledged, or timed out and was refunded, and no token was made
    or lost; 1 otherwise, 2 for unusable input.
    """
    with refusing(ProgramMissing):
        if with_cosmos.cosmos:
            _refuse_with_cosmos(chaos=evm.chaos, bundles=evm.bundles)
        engine = driven.engine()
        run = with_cosmos.run(engine) if with_cosmos.cosmos else evm.run(engine)
    folder = Path(tempfile.mkdtemp(prefix="hutong-demo-")) if home is None else new_home(home)
    ending = run_to_its_end(run, Console(stderr=json_), folder, json_=json_, keep=keep)
    if ending is not Ending.GOOD:
        raise typer.Exit(EXIT_CODES[ending])
    if home is None and not keep:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_with_cosmos(*, chaos: bool, bundles: Path | None) -> None:
    for option, given in (("--chaos", chaos), ("--bundles", bundles)):
        if given:
            raise Refused(f"not supported: --cosmos with {option}", UNUSABLE)


def new_home(home: Path) -> Path:
    """Absolute, since the configuration names it. Exit code 2 where something is in it already."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_empty = next(home.iterdir(), None) is None
    except OSError as error:
        raise Refused(f"--home {home} cannot be used: {error.strerror}", UNUSABLE) from None
    if not is_empty:
        raise Refused(f"--home {home} is not empty; name a new folder", UNUSABLE)
    return home.resolve()
