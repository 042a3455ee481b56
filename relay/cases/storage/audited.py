"""An operator's audits while a shard of its is missing, and once it is repaired: verdicts of the hub, stated."""

from hutong.relay.cases.case import CaseRun
from hutong.relay.cases.city_file import City
from hutong.relay.cases.operator import StorageNetwork
from hutong.relay.cases.storage.records import (
    CLOCK,
    CLOCK_KEY,
    MISSED,
    PASSED,
    VERDICT,
    members,
    value_in,
    verdict_key,
)

AUDIT_LIMIT_S = 900
"""Three epochs, of which each takes as long as it waits for answers."""
VICTIM = 1


def epoch_now(city: City) -> int:
    """The newest epoch; 0 before the first."""
    clock = value_in(city.operator.prove_records([CLOCK_KEY]), CLOCK_KEY)
    return 0 if clock is None else int(members(CLOCK, clock)[0])


def verdict_after(city: City, run: CaseRun, name: str, operator: str, epoch: int, outcome: int) -> int:
    """The first epoch after `epoch` that ends so for the operator, stated under that name; an earlier one that ends otherwise is
    of a slow machine, and passed over.

    Raises:
        CaseBrokeOff: none does in AUDIT_LIMIT_S.
    """
    found: list[bytes] = []
    asked = [epoch + 1]

    def ended() -> bool:
        key = verdict_key(operator, asked[-1])
        bundle = city.operator.prove_records([key])
        value = value_in(bundle, key)
        if value is None:
            return False
        if int(members(VERDICT, value)[0]) != outcome:
            asked.append(asked[-1] + 1)
            return False
        found.append(bundle)
        return True

    city.until(f"an audit of {operator[:8]} that ends with {outcome}", ended, AUDIT_LIMIT_S)
    run.evidence.hub_record(name, verdict_key(operator, asked[-1]), found[0], city.hub_time_s)
    run.evidence.values[f"epoch-{name}"] = str(asked[-1])
    return asked[-1]


def lose_and_repair(city: City, run: CaseRun, network: StorageNetwork) -> None:
    """An operator passes, loses its shards, misses its audit, is repaired, and passes again: over one set."""
    victim = network.operators[VICTIM]
    run.evidence.values["audited"] = victim.operator
    passed = verdict_after(city, run, "audit-passed", victim.operator, epoch_now(city), PASSED)
    run.check("the operator's audit passes", True, f"epoch {passed}")
    lost = [one for one in victim.shards.rglob("*") if one.is_file()]
    for shard in lost:
        shard.unlink()
    missed = verdict_after(city, run, "audit-missed", victim.operator, epoch_now(city), MISSED)
    run.check("the audit finds the missing shards", True, f"epoch {missed}, {len(lost)} files")
    found = network.scrub(VICTIM)
    run.check("the operator's scrub names them", bool(found), found[-90:])
    done = network.repair()
    run.check("the repairer rebuilds them out of the others", done["refilled_shards"] > 0, done["refilled_shards"])
    again = verdict_after(city, run, "audit-repaired", victim.operator, epoch_now(city), PASSED)
    run.check("the next audit passes, over the same set", True, f"epoch {again}")
