"""What the rules refuse, and how a contract that called sees it.

A refusal is part of the rules: every node refuses alike, and the call reverts. Any other exception of a module is a bug
and halts the node (design rule 11), so that a module's own refusals derive from `Refusal` and from nothing else.
"""

from hutong.relay.evm.vm.native import NativeRevert


class Refusal(Exception):
    """Of a call, by a rule."""

    def revert(self) -> NativeRevert:
        """The custom error of the ABI that it becomes.

        It is in blocks that are replayed: it changes with the rules' version alone.

        Raises:
            NotImplementedError: a subclass that has none, which halts the node.
        """
        raise NotImplementedError(type(self).__name__)
