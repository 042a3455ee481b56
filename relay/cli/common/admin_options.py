"""Options of what a hub's admins decide, and the decision."""

from dataclasses import dataclass, field
from functools import partial

from hutong.relay.administration.configured import hub_of
from hutong.relay.cli.common.options import ConfigFile, HubAdminPasswordFiles, HubAdmins, HubName
from hutong.relay.cli.common.session import admins_of, config_of, run_administration


@dataclass(frozen=True, slots=True)
class AdminDecision:
    """On which hub, and by whom."""

    config: ConfigFile
    hub_admin: HubAdmins
    hub_admin_password_file: HubAdminPasswordFiles = field(default_factory=list)
    hub: HubName = None

    def decide(self, action: bytes) -> str:
        """Let the admins approve and execute an action, with proofs where a genesis is trusted.

        Args:
            action: encoded, with a salt of its own.

        Returns:
            The hub's name in the configuration.

        Raises:
            Refused: code 2, an option is unusable; code 1, the hub refused it.
        """
        from hutong.relay.administration.hub.access import decide_as_admins

        hub = hub_of(config_of(self.config), self.hub)
        admins = admins_of(self.hub_admin, self.hub_admin_password_file)
        run_administration(partial(decide_as_admins, hub, admins, action))
        return hub.name
