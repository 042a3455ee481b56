"""What an auditor does: commits before the header, reveals once its block is proven, and keeps what operators answered."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.administration.storage.auditor_secrets import AuditorSecrets
from hutong.relay.administration.storage.kept_audits import AuditKeeper, KeptEpoch, ids_of, is_kept
from hutong.relay.administration.storage.shown_hub import ShownHub
from hutong.relay.base.durable_files import write_durably
from hutong.relay.services.storage.hub.refusals import HubRefused, HubSilent
from hutong.relay.services.storage.rules.calls import COMMIT_SECRET, REVEAL_SECRET
from hutong.relay.services.storage.rules.records.keys import CLOCK_KEY, ROSTER_KEY, secret_key, set_key, verdict_key
from hutong.relay.services.storage.rules.records.rounds import (
    ClockRecord,
    Phase,
    SecretState,
    decode_clock_record,
    decode_secret_record,
)
from hutong.relay.telemetry import get_logger

FIRST_FILE: Final = "first-epoch"
_SAME: Final = 80


@dataclass(frozen=True, slots=True)
class Done:
    """What one look at the hub led to."""

    epoch: int
    committed: tuple[int, ...] = ()
    revealed: int | None = None
    kept: tuple[KeptEpoch, ...] = ()


class AuditorWork:
    """Of one auditor. What it raises of the hub is tried again by whoever calls it."""

    def __init__(self, hub: ShownHub, secrets: AuditorSecrets, home: Path, audits: Path) -> None:
        self._hub, self._secrets, self._home, self._audits = hub, secrets, home, audits
        self._keeper = AuditKeeper(hub, audits)
        self._log = get_logger("storage_auditor")

    async def look(self) -> Done:
        """Do what the epoch asks for now.

        Raises:
            HubSilent, HubRefused: see there. OSError: a file cannot be written.
        """
        hint = await self._hub.said(CLOCK_KEY)
        newest = 0 if hint is None else decode_clock_record(hint).epoch
        wanted = [secret_key(epoch, self._secrets.auditor) for epoch in (newest, newest + 1)]
        shown = await self._hub.proven([CLOCK_KEY, *wanted])
        value = shown.values[CLOCK_KEY]
        clock = None if value is None else decode_clock_record(value)
        if (0 if clock is None else clock.epoch) != newest:
            return Done(newest)  # the hub went on between the two: the next look sees it
        committed = [
            epoch
            for epoch, key in zip((newest, newest + 1), wanted, strict=True)
            if shown.values[key] is None and (epoch > newest or _is_committing(clock))
        ]
        for epoch in committed:
            await self._hub.send(COMMIT_SECRET.encode(self._secrets.auditor, epoch, self._secrets.commitment(epoch)))
        revealed = await self._reveal(clock, shown.values[wanted[0]], shown.height)
        return Done(newest, tuple(committed), revealed, await self._keep(clock))

    async def _reveal(self, clock: ClockRecord | None, secret: bytes | None, height: int) -> int | None:
        """Nobody's word is enough to show a secret: a signed header has to say that the epoch's block is over."""
        if clock is None or secret is None or clock.phase is not Phase.REVEALING or height <= clock.header_height:
            return None
        record = decode_secret_record(secret)
        if record.state is not SecretState.COMMITTED:
            return None
        if record.commitment != self._secrets.commitment(clock.epoch):
            self._log.error("another commitment stands on the hub: this home is not the one that made it")
            return None
        await self._hub.send(
            REVEAL_SECRET.encode(self._secrets.auditor, clock.epoch, self._secrets.secret(clock.epoch))
        )
        return clock.epoch

    async def _keep(self, clock: ClockRecord | None) -> tuple[KeptEpoch, ...]:
        """Each closed epoch since this auditor began, once."""
        if clock is None:
            return ()
        first = await trio.to_thread.run_sync(self._first_epoch, clock.epoch)
        closed = clock.epoch if await self._is_over(clock) else clock.epoch - 1
        kept = [
            await self._keeper.keep(epoch) for epoch in range(first, closed + 1) if not is_kept(self._audits, epoch)
        ]
        return tuple(kept)

    async def _is_over(self, clock: ClockRecord) -> bool:
        """Nothing of the epoch is to come: it is closed, or every operator that was asked has its verdict."""
        if clock.phase is not Phase.ANSWERING:
            return clock.phase is Phase.CLOSED
        for operator in ids_of(await self._hub.said(ROSTER_KEY)):
            if await self._hub.said(set_key(operator, clock.epoch)) is None:
                continue
            if await self._hub.said(verdict_key(operator, clock.epoch)) is None:
                return False
        return True

    def _first_epoch(self, now: int) -> int:
        path = self._home / FIRST_FILE
        if not path.exists():
            write_durably(path, str(now).encode())
        return int(path.read_text())

    async def keep_working(self, interval_s: float) -> None:
        """Look until cancelled; what fails is said and tried again."""
        said: str | None = None
        while True:
            try:
                self._tell(await self.look())
                reason = None
            except (HubSilent, HubRefused, MalformedInput, OSError) as error:
                reason = f"{type(error).__name__}: {error}"
                # a sentence may end in the time of now
                if said is None or reason[:_SAME] != said[:_SAME]:
                    self._log.error("the hub is not audited", reason=reason)
            said = reason
            await trio.sleep(interval_s)

    def _tell(self, done: Done) -> None:
        for epoch in done.committed:
            self._log.info("committed", epoch=epoch)
        if done.revealed is not None:
            self._log.info("revealed", epoch=done.revealed)
        for kept in done.kept:
            self._log.info("audits kept", epoch=kept.epoch, audits=kept.audits, refused=len(kept.refused))
            for name in kept.refused:
                self._log.error("answers do not hold", file=name)


def _is_committing(clock: ClockRecord | None) -> bool:
    return clock is not None and clock.phase is Phase.COMMITTING
