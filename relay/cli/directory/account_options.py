"""The hub, and the account that publishes there."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hutong.relay.cli.common.options import ConfigFile, HubName, Keystore, PasswordEnv, PasswordFile

if TYPE_CHECKING:
    from hutong.relay.config import HubChainConfig
    from hutong.relay.keys import Signer


@dataclass(frozen=True, slots=True)
class PublishingAccount:
    """The account that governance names for the publisher."""

    config: ConfigFile
    keystore: Keystore
    password_file: PasswordFile = None
    password_env: PasswordEnv = None
    hub: HubName = None

    def hub_config(self) -> "HubChainConfig":
        """The hub's part of the configuration.

        Raises:
            Refused: code 2, there is no such hub.
        """
        from hutong.relay.administration.configured import hub_of
        from hutong.relay.cli.common.session import config_of

        return hub_of(config_of(self.config), self.hub)

    def open(self) -> "Signer":
        """Open the keystore.

        Raises:
            Refused: code 2, it does not open.
        """
        from hutong.relay.cli.common.session import signer_of

        return signer_of(self.keystore, self.password_file, self.password_env)
