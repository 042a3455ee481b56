"""Case 3, health: vaccine from a maker on p1, with a carrier's readings in the log l, to clinics on e1 and e2; and a recall."""

from collections.abc import Sequence
from random import Random

import httpx
from web3 import Web3

from hutong.relay.cases.anchoring import anchored, root_and_paths, state_entries
from hutong.relay.cases.case import Case, CaseRun, Sizes
from hutong.relay.cases.city_file import City
from hutong.relay.cases.recall import forged, open_shop, recall

SEED, HOUR_S, WARMEST_TENTHS_C = 3, 3_600, 80
LOT, OTHER_LOT = "lot-v-2036-07", "lot-v-2036-08"
REQUEST_TIMEOUT_S = 30


def reading(from_s: int, hour: int, tenths_c: int) -> bytes:
    """An entry: lot, hour of Unix time in seconds, tenths of a degree Celsius."""
    return f"{LOT},{from_s + hour * HOUR_S},{tenths_c}".encode()


def append(city: City, entries: Sequence[bytes]) -> list[int]:
    """Append to the carrier's log; the entries' places in it."""
    url, headers = city.document["log"]["append"], {"content-type": "application/octet-stream"}
    with httpx.Client(timeout=REQUEST_TIMEOUT_S, trust_env=False) as client:
        answers = [client.post(url, content=entry, headers=headers).raise_for_status() for entry in entries]
    return [int(answer.json()["index"]) for answer in answers]


def run(city: City, hours: int, run: CaseRun) -> None:
    """Read, log and anchor; give out; recall; then try what must be found out."""
    p1, e1, e2 = city.chain("p1"), city.chain("e1"), city.chain("e2")
    maker, carrier, clinic = city.person(2), city.person(3), city.person(4)
    lot, other = (bytes(Web3.keccak(text=name)) for name in (LOT, OTHER_LOT))
    shops = [open_shop(chain, "p1", maker, clinic) for chain in (e1, e2)]

    to_s = p1.time_s()
    from_s, random = to_s - hours * HOUR_S, Random(SEED)  # noqa: S311 - a seed, not a secret
    entries = [reading(from_s, hour, random.randint(25, 70)) for hour in range(hours)]
    places = append(city, entries)
    run.check("the carrier's log holds every reading in its order", places == sorted(set(places)), f"{hours} hours")
    readings = p1.deploy(carrier, "Anchor")
    index = anchored(run, p1, readings, carrier, entries, (from_s, to_s))
    _, paths = root_and_paths(entries)

    def includes(leaf: bytes, hour: int, path: Sequence[bytes]) -> bool:
        return bool(readings.functions.includes(carrier.address, index, leaf, hour, list(path)).call())

    shown = all(includes(entry, hour, paths[hour]) for hour, entry in enumerate(entries))
    run.check("every hour is under the anchored root", shown, f"{hours} hours")
    warmest = max(int(entry.split(b",")[2]) for entry in entries)
    run.check("no hour was above 8 C", warmest <= WARMEST_TENTHS_C, f"at most {warmest / 10} C")

    removed_at = hours // 3
    removed = [entry for hour, entry in enumerate(entries) if hour != removed_at]
    _, shorter = root_and_paths(removed)
    run.refused(
        "a window from which an hour was removed",
        not any(includes(leaf, at, shorter[at]) for at, leaf in enumerate(removed)),
        f"hour {removed_at}",
    )
    altered = reading(from_s, removed_at, 41 if entries[removed_at].endswith(b",40") else 40)
    rebuilt, altered_paths = root_and_paths([*entries[:removed_at], altered, *entries[removed_at + 1 :]])
    run.refused(
        "an altered reading, by the true path and by a rebuilt one",
        not includes(altered, removed_at, paths[removed_at])
        and not includes(altered, removed_at, altered_paths[removed_at]),
        rebuilt.hex()[:8],
    )
    late = p1.refusal(carrier, readings.functions.anchor(rebuilt, hours, from_s, to_s))
    run.refused("an altered window anchored again", late == "WindowGoesBack", late)

    for shop in shops:
        run.paid(shop.chain.call(clinic, shop.contract.functions.giveOut(lot)))
    forged(run, city, carrier, shops[0], other)
    took = recall(run, city, maker, shops, [lot])
    good = [shop.refusal(other) for shop in shops]
    run.check("another lot is still given out", good == [None, None])

    state_entries(run, city, p1, readings, carrier, index, "hour", entries)
    run.evidence.contract("p1", "readings", readings.address)
    run.evidence.people["carrier"] = carrier.address
    run.evidence.values |= {"lot": LOT, "anchor": str(index)}
    run.evidence.conclusion = {"lot": LOT, "hours": hours, "warmest_tenths_c": warmest, "blocked_after_s": took}


CASE = Case(3, "cold-chain", "Vaccine cold chain and recall", Sizes("hours", 72, 72), run)
