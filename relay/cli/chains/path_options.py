"""Options of `hutong path create`, by concern."""

import re
from dataclasses import dataclass, field
from typing import Annotated

import typer

from hutong.relay.administration.addresses import address_of, decider_of
from hutong.relay.administration.beginnings import Agreement
from hutong.relay.administration.cosmos_paths import Wish
from hutong.relay.administration.evm.attestors import attestors_of
from hutong.relay.administration.path_sides import Begun
from hutong.relay.administration.paths import Member, Trust
from hutong.relay.base.durations import DAY_S
from hutong.relay.cli.chains.attestors import Attestors, Threshold
from hutong.relay.cli.common.confirming import AtTerminal, pin_of
from hutong.relay.cli.common.options import DecideAs
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.config import EvmChainConfig
from hutong.relay.keys import Signer

MailboxAddress = Annotated[
    str | None, typer.Option(help="Mailbox of the chain that shall accept messages over the path.")
]
TransferAddress = Annotated[
    str | None, typer.Option(help="Transfer of the chain that shall send tokens over the hub to other chains.")
]
TitleAddress = Annotated[
    str | None, typer.Option(help="Title of the chain that shall move titles over the hub to other chains.")
]
SwapAddress = Annotated[
    str | None, typer.Option(help="Swap of the chain that shall swap over the hub with other chains.")
]
ClockDrift = Annotated[int, typer.Option(min=1, help="How far a header may be ahead of the clock where it is judged.")]


@dataclass(frozen=True, slots=True)
class EvmEndOptions:
    """What is made on the member's side, if that is an EVM chain."""

    mailbox: MailboxAddress = None
    transfer: TransferAddress = None
    title: TitleAddress = None
    swap: SwapAddress = None
    attestor: Attestors = field(default_factory=list)
    threshold: Threshold = 1
    on_hub: Annotated[
        str | None,
        typer.Option(help="Go on with this client on the hub, as a run printed whose decisions had to wait."),
    ] = None
    light_client: Annotated[
        str | None, typer.Option(help="Go on with this light client contract on the chain, likewise.")
    ] = None
    decide_as: DecideAs = None

    def member(self, chain: EvmChainConfig, owner: Signer) -> Member:
        """The chain with its contracts, attestors and whoever decides there.

        Raises:
            Refused: code 2, an address is malformed, --decide-as is the owner, or the attestors do not fit the chain.
        """
        forwarding = {"--transfer": self.transfer, "--title": self.title, "--swap": self.swap}
        for option, address in {"--mailbox": self.mailbox, **forwarding}.items():
            if address is not None:
                address_of(address, option)
        account = decider_of(self.decide_as, owner)
        attestors = attestors_of(chain, self.attestor, self.threshold, "--attestor")
        others = tuple(address for address in forwarding.values() if address is not None)
        return Member(chain, owner, self.mailbox, attestors, others, account)

    def begun(self) -> Begun | None:
        """Where an earlier run stopped; None for a path from its beginning.

        Raises:
            Refused: code 2, one of --on-hub and --light-client lacks the other, or an address is none.
        """
        if (self.on_hub is None) != (self.light_client is None):
            raise Refused("--on-hub and --light-client go together, as an earlier run has printed them", UNUSABLE)
        if self.on_hub is None or self.light_client is None:
            return None
        return Begun(self.on_hub, address_of(self.light_client, "--light-client"))


@dataclass(frozen=True, slots=True)
class TrustOptions:
    """For how long, and from where, the two clients trust the chains that they follow."""

    trusting_period_s: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Of both clients; unless given a week, with a Cosmos chain as the hub's genesis says and two thirds of the"
            " chain's unbonding period.",
        ),
    ] = None
    unbonding_period_s: Annotated[
        int | None,
        typer.Option(
            min=2, help="How long a removed hub validator stays accountable; 21 days. Not with a Cosmos chain."
        ),
    ] = None
    max_clock_drift_s: ClockDrift = 15
    trusted_root: Annotated[
        str | None,
        typer.Option(
            help="Root of a finalized beacon block, 0x and 64 hex digits, from where the client of an Ethereum chain begins;"
            " unless given the newest that its beacon nodes name."
        ),
    ] = None
    min_participants: Annotated[
        int | None,
        typer.Option(min=1, help="Members of a sync committee who must sign, two thirds unless given. Ethereum alone."),
    ] = None

    def refuse_beyond_ethereum(self, chain: EvmChainConfig) -> None:
        """Demand that what only Ethereum's consensus knows is not asked of another one.

        Raises:
            Refused: code 2, it is.
        """
        if chain.consensus == "ethereum":
            return
        for option, value in (("trusted-root", self.trusted_root), ("min-participants", self.min_participants)):
            if value is not None:
                raise Refused(
                    f"--{option} is for Ethereum chains; {chain.name}'s consensus is {chain.consensus}", UNUSABLE
                )

    def block_root(self) -> bytes | None:
        """The 32 bytes of --trusted-root.

        Raises:
            Refused: code 2, it is no hex of that length.
        """
        if self.trusted_root is None:
            return None
        if re.fullmatch(r"0x[0-9a-fA-F]{64}", self.trusted_root) is None:
            raise Refused("--trusted-root must be 0x and 64 hex digits", UNUSABLE)
        return bytes.fromhex(self.trusted_root[2:])

    def of_evm_chain(self) -> Trust:
        """The trust of an EVM member's clients.

        Raises:
            Refused: code 2, as `block_root`, or a period of trust is not below the hub's unbonding period.
        """
        trusting_s, unbonding_s = self.trusting_period_s or 7 * DAY_S, self.unbonding_period_s or 21 * DAY_S
        if trusting_s >= unbonding_s:
            raise Refused(
                f"--trusting-period-s: {trusting_s} s is not below --unbonding-period-s, {unbonding_s} s, for which the"
                " hub's validators stay accountable",
                UNUSABLE,
            )
        return Trust(trusting_s, unbonding_s, self.max_clock_drift_s, self.block_root(), self.min_participants)

    def of_cosmos_chain(self) -> Wish:
        """The trust of a Cosmos member's clients, which its own genesis and the hub's say where nothing is asked for."""
        return Wish(self.trusting_period_s, self.max_clock_drift_s)


@dataclass(frozen=True, slots=True)
class BeginningOptions:
    """The first blocks of the two clients, which nothing can prove."""

    trusted_height: Annotated[
        int | None,
        typer.Option(min=1, help="Final block of the chain from where the hub's client begins; with --trusted-hash."),
    ] = None
    trusted_hash: Annotated[
        str | None, typer.Option(help="Hash of that block, from somebody whom you trust; another one is refused.")
    ] = None
    hub_trusted_height: Annotated[
        int | None,
        typer.Option(min=1, help="Block of the hub from where the chain's client begins; with --hub-trusted-hash."),
    ] = None
    hub_trusted_hash: Annotated[
        str | None, typer.Option(help="Hash of that block of the hub; another one is refused.")
    ] = None
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: you know the first blocks to be right.")] = False
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Make new clients even where those of an earlier run wait for a decision."),
    ] = False

    def refuse_where_unpinnable(self, chain: EvmChainConfig) -> None:
        """Demand that no height is pinned of a chain whose client does not begin at one.

        Raises:
            Refused: code 2, it is.
        """
        if chain.consensus in ("ethereum", "attested") and self.trusted_height is not None:
            begins = "at a block root: --trusted-root" if chain.consensus == "ethereum" else "where its attestors say"
            raise Refused(
                f"not supported: --trusted-height of {chain.name}; the client of such a chain begins {begins}", UNUSABLE
            )

    def agreement(self) -> Agreement:
        """How a person agrees to them.

        Raises:
            Refused: code 2, a height or hash lacks the other, or a hash is none.
        """
        return Agreement(
            AtTerminal(self.yes).confirm,
            pin_of(self.trusted_height, self.trusted_hash, ""),
            pin_of(self.hub_trusted_height, self.hub_trusted_hash, "hub-"),
            self.anew,
        )


@dataclass(frozen=True, slots=True)
class PathWish:
    """What is asked of a path with a hub."""

    end: EvmEndOptions
    trust: TrustOptions
    beginnings: BeginningOptions

    def refuse_for_cosmos(self, chain: str) -> None:
        """Demand that nothing is asked of a Cosmos chain that only EVM chains have.

        Raises:
            Refused: code 2, it is.
        """
        options = {
            "mailbox": self.end.mailbox,
            "title": self.end.title,
            "swap": self.end.swap,
            "transfer": self.end.transfer,
            "attestor": self.end.attestor,
            "on-hub": self.end.on_hub,
            "light-client": self.end.light_client,
            "anew": self.beginnings.anew,
            "decide-as": self.end.decide_as,
            "unbonding-period-s": self.trust.unbonding_period_s,
            "trusted-root": self.trust.trusted_root,
            "min-participants": self.trust.min_participants,
        }
        for name, value in options.items():
            if value:
                raise Refused(f"--{name} is for EVM chains; {chain} is of kind cosmos", UNUSABLE)
