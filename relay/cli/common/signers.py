"""Options that name the keys of a command."""

from dataclasses import dataclass, field

from hutong.relay.cli.common.options import HubAdminPasswordFiles, HubAdmins, Keystore, PasswordEnv, PasswordFile
from hutong.relay.cli.common.session import admins_of, signer_of
from hutong.relay.keys import Signer


@dataclass(frozen=True, slots=True)
class SignerOptions:
    """The account that signs and pays."""

    keystore: Keystore
    password_file: PasswordFile = None
    password_env: PasswordEnv = None

    def open(self) -> Signer:
        """Open the keystore.

        Raises:
            Refused: code 2, as `signer_of`.
        """
        return signer_of(self.keystore, self.password_file, self.password_env)


@dataclass(frozen=True, slots=True)
class HubAdminOptions:
    """The admins of the hub who decide together."""

    hub_admin: HubAdmins
    hub_admin_password_file: HubAdminPasswordFiles = field(default_factory=list)

    def open(self) -> list[Signer]:
        """Open the admins' keystores.

        Raises:
            Refused: code 2, as `admins_of`.
        """
        return admins_of(self.hub_admin, self.hub_admin_password_file)


@dataclass(frozen=True, slots=True)
class OptionalHubAdminOptions:
    """The same of a command that has other ways, or says itself what is missing."""

    hub_admin: HubAdmins = field(default_factory=list)
    hub_admin_password_file: HubAdminPasswordFiles = field(default_factory=list)

    def open(self) -> list[Signer]:
        """Open the admins' keystores.

        Raises:
            Refused: code 2, as `admins_of`.
        """
        return admins_of(self.hub_admin, self.hub_admin_password_file)
