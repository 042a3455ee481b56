"""What the directory module refuses by the state of its records, each with its own custom error."""

from typing import ClassVar

from hutong.relay.evm.vm.native import NativeRevert
from hutong.relay.hub.application.abi import Error
from hutong.relay.hub.application.directory import interface
from hutong.relay.hub.application.refusal import Refusal


class DirectoryRefusal(Refusal):
    """Its arguments are those of its custom error, in their order."""

    error: ClassVar[Error]

    def revert(self) -> NativeRevert:
        """The custom error, with the arguments that the refusal was made with."""
        return self.error.revert(*self.args)


class UnknownPublisher(DirectoryRefusal):
    """No publisher of these 32 bytes is named."""

    error = interface.UNKNOWN_PUBLISHER


class NotThePublishersAccount(DirectoryRefusal):
    """The caller, and the account that is named for the publisher."""

    error = interface.NOT_THE_NAMED_ACCOUNT


class TooManyPublishers(DirectoryRefusal):
    """The most of them."""

    error = interface.TOO_MANY_PUBLISHERS
