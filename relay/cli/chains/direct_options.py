"""Options of `hutong path direct`, by end."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from hutong.relay.administration.addresses import address_of
from hutong.relay.administration.evm.attestors import attestors_of
from hutong.relay.administration.paths import Member, Trust
from hutong.relay.base.durations import DAY_S
from hutong.relay.cli.chains.path_options import ClockDrift, MailboxAddress
from hutong.relay.cli.common.options import PasswordEnv, PasswordFile
from hutong.relay.cli.common.session import signer_of
from hutong.relay.config import EvmChainConfig


@dataclass(frozen=True, slots=True)
class _EndOptions:
    """The side of one chain."""

    PREFIX: ClassVar[str]

    keystore: Annotated[Path, typer.Option(help="Keystore of the account that owns {PREFIX}'s contracts.")]
    password_file: PasswordFile = None
    password_env: PasswordEnv = None
    mailbox: MailboxAddress = None
    attestor: Annotated[list[str], typer.Option(help="Address of an attestor of {PREFIX}; once for each.")] = field(
        default_factory=list
    )
    threshold: Annotated[int, typer.Option(min=1, help="How many attestors of {PREFIX} must sign.")] = 1

    def member(self, chain: EvmChainConfig) -> Member:
        """The chain with its owner, Mailbox and attestors.

        Raises:
            Refused: code 2, as `signer_of` and `attestors_of`, or the Mailbox's address is none.
        """
        owner = signer_of(self.keystore, self.password_file, self.password_env)
        if self.mailbox is not None:
            address_of(self.mailbox, f"--{self.PREFIX}-mailbox")
        attestors = attestors_of(chain, self.attestor, self.threshold, f"--{self.PREFIX}-attestor")
        return Member(chain, owner, self.mailbox, attestors)


@dataclass(frozen=True, slots=True)
class EndAOptions(_EndOptions):
    """The side of chain A."""

    PREFIX: ClassVar[str] = "a"


@dataclass(frozen=True, slots=True)
class EndBOptions(_EndOptions):
    """The side of chain B."""

    PREFIX: ClassVar[str] = "b"

    keystore: Annotated[Path, typer.Option(help="The same on {PREFIX}.")]


@dataclass(frozen=True, slots=True)
class DirectTrustOptions:
    """For how long both clients trust the attestors that they follow."""

    trusting_period_s: Annotated[int, typer.Option(min=1)] = 7 * DAY_S
    max_clock_drift_s: ClockDrift = 15

    def both(self) -> Trust:
        """The trust of both clients."""
        return Trust(self.trusting_period_s, 2 * self.trusting_period_s, self.max_clock_drift_s)
