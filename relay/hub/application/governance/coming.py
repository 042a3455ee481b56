"""The blocks that are still to come, as the newest state has decided them: their rules, their interval, the last one."""

from collections.abc import Collection

from hutong.relay.hub.application.genesis import Genesis
from hutong.relay.hub.application.governance.schedule import last_height, parameter, rules_version_at
from hutong.relay.hub.application.revision.revision import next_chain_id
from hutong.relay.hub.halting import NodeMustHalt
from hutong.relay.hub.state import StateView, VersionedState


class UnknownRulesVersion(NodeMustHalt):
    """A block asks for rules that this code does not have: the node must halt and be upgraded."""


class RevisionEnded(Exception):
    """The chain goes on under its next revision: the node makes no more blocks until it is given the new genesis."""


class ComingBlocks:
    """Asks the newest committed state each time; `known_rules` are those of this code."""

    def __init__(self, state: VersionedState, genesis: Genesis, known_rules: Collection[int]) -> None:
        self._state = state
        self._genesis = genesis
        self._known_rules = known_rules

    def _newest(self) -> StateView | None:
        version = self._state.latest_version()
        return None if version is None else self._state.view_at(version)

    def rules_version(self, height: int) -> int:
        """That of block `height`, which follows the newest state or is before it. Of later ones it may still change."""
        view, first = self._newest(), self._genesis.rules_version
        return first if view is None else rules_version_at(view, height, first)

    def interval_ms(self, *, changed: bool) -> int:
        """Milliseconds from one block's start to the next one's, by the newest state.

        Fewer where the app hash `changed`, since proofs wait for the next header.
        """
        name = "proof_block_delay_ms" if changed else "block_interval_ms"
        view, first = self._newest(), int(getattr(self._genesis.params, name))
        return first if view is None else parameter(view, name, first)

    def last_height(self) -> int | None:
        """The last block of this revision, if its end is decided."""
        view = self._newest()
        return None if view is None else last_height(view, self._genesis.base_height)

    def is_last_but_one(self, height: int) -> bool:
        """Whether block `height` is the one before the last of this revision."""
        end = self.last_height()
        return end is not None and height == end - 1

    def require_block(self, height: int) -> None:
        """Block `height`, which follows the newest state, can be made here.

        Raises:
            RevisionEnded: the revision's last block is below it.
            UnknownRulesVersion: this code lacks its rules.
        """
        end = self.last_height()
        if end is not None and height > end:
            chain_id = self._genesis.chain_id
            raise RevisionEnded(
                f"{chain_id} ended at block {end}, as was decided: `hutong hub restart` makes the genesis of"
                f" {next_chain_id(chain_id)}"
            )
        version = self.rules_version(height)
        if version not in self._known_rules:
            known = ", ".join(map(str, sorted(self._known_rules)))
            raise UnknownRulesVersion(
                f"rules version {version} begins at block {height} and this hutong has {known}: install one that has it,"
                " then start the node again"
            )
