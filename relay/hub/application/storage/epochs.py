"""What the hub does by itself at the beginning of a block: it cuts sets, takes the header, draws the seed, closes the epoch."""

from dataclasses import dataclass, replace

from hutong.relay.hub.application.storage.answering import write_verdict
from hutong.relay.hub.application.storage.registry import Registry
from hutong.relay.services.storage.rules.audits.seed import Auditor, epoch_seed
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.rounds import (
    NOTHING,
    ClockRecord,
    Fault,
    Phase,
    SecretRecord,
    SecretState,
)
from hutong.relay.services.storage.rules.records.values import (
    Outcome,
    SeedRecord,
    SetRecord,
    encode_seed_record,
    encode_set_record,
)


@dataclass(frozen=True, slots=True)
class OpenedBlock:
    """Hub id (see `hub_id`), and the hash of the block that begins; its height and time are the registry's."""

    hub: bytes
    hash: bytes


def begin_block(registry: Registry, block: OpenedBlock) -> None:
    """Move the epoch by at most one phase, by the state before the block.

    Bounded by 128 operators and 16 auditors; nothing happens before the first batch.
    """
    clock = registry.find_clock()
    if clock is None:
        if registry.number(keys.BATCHES_KEY):
            _begin_epoch(registry, 1)
        return
    height, now_s = registry.now.height, registry.now.time_s
    match clock.phase:
        case Phase.CLOSED:
            if now_s >= clock.begun_s + registry.parameters().epoch_s:
                _begin_epoch(registry, clock.epoch + 1)
        case Phase.COMMITTING:
            if height >= clock.header_height:
                taken = replace(clock, header_height=height, header=block.hash, header_s=now_s)
                registry.put_clock(replace(taken, phase=Phase.REVEALING))
        case Phase.REVEALING:
            _draw_where_due(registry, block.hub, clock)
        case Phase.ANSWERING:
            if now_s > clock.due_s:
                _close(registry, clock)


def _begin_epoch(registry: Registry, epoch: int) -> None:
    """Sets are as the block before left them."""
    height = registry.now.height
    for operator in registry.roster():
        log = registry.find_log(operator)
        if log is not None and registry.operator(operator).is_audited:
            record = SetRecord(log.operator_set, height - 1)
            registry.write(operator, keys.set_key(operator, epoch), encode_set_record(record))
    header_height = height + registry.parameters().cut_blocks
    registry.put_clock(ClockRecord(epoch, Phase.COMMITTING, height, registry.now.time_s, header_height, NOTHING, 0, 0))


def _draw_where_due(registry: Registry, hub: bytes, clock: ClockRecord) -> None:
    parameters, now_s = registry.parameters(), registry.now.time_s
    secrets = list(registry.secrets(clock.epoch))
    waits = any(record.state is SecretState.COMMITTED for _, record in secrets)
    if waits and now_s <= clock.header_s + parameters.reveal_s:
        return
    auditors = [Auditor(auditor, record.commitment) for auditor, record in secrets]
    shown = [record.secret if record.state is SecretState.REVEALED else None for _, record in secrets]
    drawn = epoch_seed(hub, clock.epoch, clock.header, auditors, shown)
    for auditor, record in secrets:
        if record.state is SecretState.COMMITTED:
            registry.put_secret(clock.epoch, auditor, _withheld(record))
    due_s = now_s + parameters.deadline_s
    probes = parameters.probes_of(clock.epoch)
    when = (clock.header, clock.header_height, due_s, probes)
    registry.store.set(
        keys.seed_key(clock.epoch), encode_seed_record(SeedRecord(drawn.value, *when, drawn.reveals, drawn.auditors))
    )
    registry.put_clock(replace(clock, phase=Phase.ANSWERING, due_s=due_s))


def _withheld(record: SecretRecord) -> SecretRecord:
    return replace(record, state=SecretState.LOST, faults=record.faults | Fault.WITHHELD)


def _close(registry: Registry, clock: ClockRecord) -> None:
    """Whoever was asked and has no verdict has missed its audit."""
    seed = registry.find_seed(clock.epoch)
    for operator in registry.roster():
        set_record = registry.find_set(operator, clock.epoch)
        if seed is None or set_record is None or registry.has_verdict(operator, clock.epoch):
            continue
        done = registry.answered(operator, clock.epoch)
        write_verdict(registry, operator, (clock.epoch, Outcome.MISSED), (set_record, seed), done)
    registry.put_clock(replace(clock, phase=Phase.CLOSED))
