"""What every `hutong hub propose` command shares: its options, and how an action is put to the vote."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from hutong.relay.administration.hub_trust import proven_proposals
from hutong.relay.cli.common.options import AsJson, ConfigFile, HubName
from hutong.relay.cli.common.refusal import UNUSABLE, Refused
from hutong.relay.cli.common.session import config_of, hub_of
from hutong.relay.cli.hub.governance import Operator, OperatorPassword, decide, describe, trusted
from hutong.relay.cli.hub.validators import goes_on
from hutong.relay.config import HubChainConfig

if TYPE_CHECKING:
    from hutong.adapters.hub import HubChain
    from hutong.adapters.hub.governance import Decision
    from hutong.adapters.ics26.transactor import Transactor

Title = Annotated[str | None, typer.Option(help="What for, in at most 256 bytes; the members read it.")]
MAX_TITLE_BYTES = 256


@dataclass(frozen=True, slots=True)
class Ballot:
    """The options of one command."""

    config: ConfigFile
    operator: Operator
    operator_password_file: OperatorPassword = None
    title: Title = None
    hub: HubName = None
    as_json: AsJson = False

    @property
    def hub_chain(self) -> HubChainConfig:
        """The hub that the options name, from the configuration, which is read anew each time.

        Raises:
            Refused: code 2, the configuration is unusable, or names no such hub.
        """
        return hub_of(config_of(self.config), self.hub)

    def propose(self, action: bytes, change: tuple[bytes, int] | None = None) -> None:
        """Propose it, prove what came of that where a genesis is trusted, and say it.

        Args:
            action: encoded, with a salt of its own.
            change: a validator's key (compressed) and coming power, for which it is checked that the hub can go on.

        Raises:
            Refused: code 2, an option is unusable; code 1, the hub refused it or its answer does not prove.
        """
        from hutong.adapters.hub import governance
        from hutong.adapters.hub.proven_proposals import Content
        from hutong.light_clients.tendermint.types import KeyType, PublicKey

        title = describe(action) if self.title is None else self.title
        if not 0 < len(title.encode()) <= MAX_TITLE_BYTES:
            raise Refused(f"--title takes 1 to {MAX_TITLE_BYTES} bytes", UNUSABLE)
        trust = trusted(self.hub_chain)

        async def act(chain: "HubChain", transactor: "Transactor") -> "Decision":
            proven = None if trust is None else await proven_proposals(chain, trust)
            decision = await governance.propose(transactor, action, title)
            if proven is not None:
                content = Content(transactor.signer.address, action, title)
                await proven.require(decision.number, content, decision.receipt.height)
            return decision

        async def check(chain: "HubChain") -> None:
            if change is not None:
                await goes_on(chain, PublicKey(KeyType.SECP256K1, change[0]), change[1])

        decide(
            self.config, self.hub, self.operator, self.operator_password_file, act, as_json=self.as_json, check=check
        )
