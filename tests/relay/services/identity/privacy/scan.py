"""One run with planted markers, and every place looked through: what may hold claims and when, and what never may.

For each place there is a twin: a marker is planted there by the place's own door, and the same search finds it.
"""

import os
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from prometheus_client import Counter
from prometheus_client.core import CounterMetricFamily
from sqlalchemy import Engine, MetaData, create_engine, delete, select

from hutong.light_clients.crypto import keccak256, sha256
from hutong.relay.services.identity.issuer.role import forget_what_ended
from hutong.relay.services.identity.rules.jose import decode_base64url, read_jws
from hutong.relay.services.identity.rules.persons.registering import encode_registrations
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry, encode_log_entry
from hutong.relay.services.identity.rules.status import Statuses
from hutong.relay.services.identity.rules.status.list_claims import compressed_list_is_whole
from hutong.relay.services.identity.status_host.list_tokens import ListSigner
from hutong.relay.services.identity.store import issuances
from hutong.relay.services.identity.store.grants import OFFERS
from hutong.relay.telemetry import get_logger
from tests.relay.hub.application.identity.organisations import SCHEMA
from tests.relay.services.identity.privacy import flow
from tests.relay.services.identity.privacy.flow import HALF_TAKEN, REVOKED, UNTAKEN, Made
from tests.relay.services.identity.privacy.markers import MARKERS, PEOPLE, Hit, Places, inside, search
from tests.relay.services.identity.privacy.platform import VCT, Platform, platform
from tests.relay.services.identity.privacy.windows import headers_of, windows_of
from tests.relay.services.identity.privacy.wire import names_of
from tests.relay.services.identity.rules.persons.people import person, registration
from tests.relay.services.identity.verifier.scene import PUBLIC_URL

DAY_S = 86_400
MOST_OF_A_PAYLOAD = 1_000
"""Bytes of a file that go over the relay as well."""
MARKER = PEOPLE[4].given_name
"""Planted on purpose in each twin."""
Contents = dict[str, list[bytes]]
MAY_HOLD = {
    "issuer": {"identity_offers"},
    "verifier": {"verifier_requests", "login_codes"},
}
"""The tables that hold claims by their nature: offers until they served or are over, results and codes until they are fetched
or over. No other table ever does."""


@dataclass
class Report:
    """What was found: `hits` and `wrong` must be empty, `twins` all true."""

    places: Places = field(default_factory=Places)
    twins: dict[str, bool] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    fetches: int = 0

    @property
    def hits(self) -> list[Hit]:
        return self.places.hits

    def demand(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.wrong.append(otherwise)


async def scanned(folder: Path, credentials: int, copies: int = 20) -> Report:
    """Run and look."""
    report, made = Report(), Made()
    async with platform(folder, copies) as on:
        await _issue(on, made, report, credentials, copies)
        await _present(on, made, report)
        await _carry(on, made, report)
        await _end(on, report)
        for where, parts in (await contents(on, made)).items():
            report.places.look(where, *parts)
        report.demand(bool(search("", b"\0".join(on.wire.exempt()))), "nothing was handed out or shown at all")
        _fetches(on, report)
        _windows(on, report)
        await _twins(on, made, report)
    return report


async def _issue(on: Platform, made: Made, report: Report, credentials: int, copies: int) -> None:
    """Offers of ten people in turn, each taken whole; one that nobody takes, and one of which half is taken."""
    count = -(-credentials // copies)
    for first in range(0, count, len(PEOPLE)):
        numbers = range(first, min(first + len(PEOPLE), count))
        offers = [await flow.offered(on, PEOPLE[one % len(PEOPLE)], f"case-{one}") for one in numbers]
        if first == 0:
            _tables(on, report, "issuer", {"identity_offers"})
        for number, offer in zip(numbers, offers, strict=True):
            await flow.taken(on, made, PEOPLE[number % len(PEOPLE)], offer, copies)
        await on.issuing.door.sync.pass_once()
    _tables(on, report, "issuer", set())
    await forget_what_ended(on.issuing.issuer)
    report.places.look("issuer: files right after hand-out", *files_in(on.issuing.home))
    await flow.offered(on, UNTAKEN, "untaken")
    half = await flow.offered(on, HALF_TAKEN, "half")
    await flow.taken(on, made, HALF_TAKEN, half, copies // 2)
    await flow.later(on)
    _tables(on, report, "issuer", {"identity_offers"})


def _tables(on: Platform, report: Report, who: str, expected: set[str]) -> None:
    """Those in whose rows a marker stands now are the expected ones."""
    found = {name for name, data in rows_of(_engine(on, who)).items() if search(name, data)}
    report.demand(found == expected, f"{who}: claims in {sorted(found)}, expected in {sorted(expected)}")
    report.demand(found <= MAY_HOLD[who], f"{who}: claims in {sorted(found - MAY_HOLD[who])}, which never may hold any")


def _engine(on: Platform, who: str) -> Engine:
    return on.issuing.engine if who == "issuer" else on.verifying.engine


def rows_of(engine: Engine) -> dict[str, bytes]:
    """Every value of every row, by table."""
    tables = MetaData()
    tables.reflect(engine)
    found = {}
    with engine.connect() as connection:
        for name, table in tables.tables.items():
            values = [value for row in connection.execute(select(table)) for value in row]
            parts = (value if isinstance(value, bytes) else str(value).encode() for value in values)
            found[name] = b"\0".join(parts)
    return found


async def _present(on: Platform, made: Made, report: Report) -> None:
    """Results fetched and forgotten or left to end; logins, one of whose codes nobody takes; a revoked one."""
    ids = [await flow.presented(on, made, on.verifying, person) for person in (*PEOPLE[:2], *PEOPLE[3:6])]
    await flow.later(on)
    for _ in range(2):
        await flow.presented(on, made, on.verifying, PEOPLE[0])
        await flow.later(on, 7)
    _tables(on, report, "verifier", {"verifier_requests"})
    for one in ids[:3]:
        assert (await on.verifying.shop.delete(f"/v1/verifier/requests/{one}")).status_code == 204
    await flow.by_another_verifier(on, made, PEOPLE[1])
    async with flow.library(on) as client:
        for is_taken in (True, False):
            async with on.wire.of("browser", on.verifying.app, PUBLIC_URL) as browser:
                location = await flow.login_begun(on, made, PEOPLE[3], client, browser)
            if is_taken:
                await flow.token_of(client, location)
    _tables(on, report, "verifier", {"verifier_requests", "login_codes"})
    await flow.revoked(on, "case-2")
    await flow.later(on)
    await flow.refused(on, made, REVOKED)
    await flow.mirrored(on, made)
    flow.sent_on_hub(on, await flow.to_a_contract(on, made, PEOPLE[4]))


async def _carry(on: Platform, made: Made, report: Report) -> None:
    """Everybody registers with a registrar, one changes its key; and a relay brings what a holder showed to a contract of another chain."""
    indices = [await flow.registered(on, person) for person in PEOPLE]
    await flow.renewed(on, PEOPLE[0], indices[0])
    await on.registrar.desk.database.empty_log()
    await on.relaying.relay(made.calldata, made.acceptance[:MOST_OF_A_PAYLOAD])
    report.demand(on.relaying.world.received() == on.relaying.sent, "the relay did not deliver")
    history = b"".join(files_in(on.relaying.redis_home))
    report.demand(_has_base64(history, made.calldata), "Redis kept no history to look through")
    report.demand(any(_has_base64(one, made.calldata) for one in on.relaying.seen), "no job was seen in Redis")


def _has_base64(text: bytes, data: bytes) -> bool:
    return any(inside(b64encode(bytes(at) + data), at, len(data)) in text for at in range(3))


async def _end(on: Platform, report: Report) -> None:
    """Everything that ends has ended, and the daemons' own passes over it have run."""
    await flow.later(on, 40 * DAY_S)
    await forget_what_ended(on.issuing.issuer)
    await on.verifying.desk.remove_ended()
    on.verifying.login.store.remove_ended(on.clock[0])
    _tables(on, report, "issuer", set())
    _tables(on, report, "verifier", set())


def files_in(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()]


async def contents(on: Platform, made: Made) -> Contents:
    """Every place where nothing of a person may stand, after all has ended."""
    hub = on.city.hub
    blocks = [hub.ledger.records.block(height).block for height in range(1, hub.height + 1)]
    metrics = [
        (await client.get("/metrics")).content + (await client.get("/readyz")).content
        for client in (on.issuing.desk, on.verifying.shop)
    ]
    tokens = [message.answer for message in on.wire.messages if "/status/" in message.url or "/mirror/" in message.url]
    on.logs.flush()
    return {
        "hub: transactions of every block": [data for block in blocks for data in block.transactions],
        "hub: every key and value of its store": [part for entry in hub.store.items() for part in entry],
        "issuer: rows of every table": list(rows_of(on.issuing.engine).values()),
        "issuer: files of its home": files_in(on.issuing.home),
        "verifier and login: rows of every table": list(rows_of(on.verifying.engine).values()),
        "verifier and login: files of its home": files_in(on.verifying.home),
        "log: entries": [rows_of(on.issuing.engine)["identity_issued"]],
        "lists: tokens served": [part for token in tokens for part in opened(token)],
        "wallet: files at rest": files_in(on.folder / "wallet"),
        "logs": [on.logs.getvalue().encode()],
        "metrics and readiness": metrics,
        "wire: HTTP": on.wire.scanned(),
        "wire: issuer to hub": on.wire.hub,
        "contract: call data": [made.calldata],
        "acceptance bundle": [made.acceptance],
        "registrar: rows of every table": list(rows_of(on.registrar.engine).values()),
        "registrar: files of its home": files_in(on.folder / "registrar" / "state"),
        "registrar: leaves": [
            part for file in sorted((on.folder / "registrar" / "shards").iterdir()) for part in written(file)
        ],
        "registrar: calls to the hub": on.registrar.door.calls,
        "relay: rows of its ledger": ledger_rows(on.relaying.ledger),
        "relay: files of its home, with evidence": files_in(on.relaying.home),
        "relay: metrics": [on.relaying.metrics],
        "Redis: every key and value": sorted({*on.relaying.seen, *on.relaying.keys()}),
        "Redis: files, with every command": files_in(on.relaying.redis_home),
    }


def ledger_rows(file: Path) -> list[bytes]:
    engine = create_engine(f"sqlite:///{file}")
    try:
        return list(rows_of(engine).values())
    finally:
        engine.dispose()


def written(file: Path) -> Iterator[bytes]:
    """What was ever written into a sparse file of a hundred megabytes, without its holes."""
    with file.open("rb") as data:
        end, at = data.seek(0, os.SEEK_END), 0
        while at < end:
            try:
                first = os.lseek(data.fileno(), at, os.SEEK_DATA)
            except OSError:
                return
            at = os.lseek(data.fileno(), first, os.SEEK_HOLE)
            yield os.pread(data.fileno(), at - first, first)


def opened(token: bytes) -> list[bytes]:
    """A list token as sent, as read, and its bits."""
    if token.count(b".") != 2:
        return [token]
    claims = read_jws(token.decode(), "token").claims()
    payload = decode_base64url(token.decode().split(".")[1], "payload", 1 << 24)
    return [token, payload, compressed_list_is_whole(claims["status_list"]).octets]


def _payload(presentation: str) -> bytes:
    return decode_base64url(presentation.split(".")[1], "payload", 1 << 20)


def _fetches(on: Platform, report: Report) -> None:
    """What the issuer sees of fetches of lists: the same from every verifier, for every holder."""
    fetches = [one for one in on.wire.fetches_of_lists() if one.sender in ("verifier", "other verifier")]
    report.fetches = len(fetches)
    report.demand({one.sender for one in fetches} == {"verifier", "other verifier"}, "two verifiers did not fetch")
    told = ["verifier.example", "library", on.verifying.desk.client_id, *MARKERS]
    report.wrong += names_of(fetches, told)
    named = replace(fetches[0], headers=(*fetches[0].headers, ("referer", PUBLIC_URL)))
    asking = replace(fetches[0], url=f"{fetches[0].url}?index=7")
    report.twins["a fetch that names the verifier"] = bool(names_of([*fetches, named], told))
    report.twins["a fetch that names the index"] = bool(names_of([*fetches, asking], told))


def _windows(on: Platform, report: Report) -> None:
    """Two presentations of one-time credentials by one person; and the first credential under the second request's proof."""
    first, second = [text for text in on.read if PEOPLE[0].family_name.encode() in _payload(text)][-2:]
    lists = [on.issuing.issuer.url(f"/status/{state.number}") for state in on.issuing.issuer.ledger.book]
    of_all = [on.issuing.issuer.identifier, VCT, f"sha256-{b64encode(SCHEMA).decode()}", on.verifying.desk.client_id]
    shown = [PEOPLE[0].given_name, PEOPLE[0].family_name]
    allowed = {*lists, *of_all, *shown}
    report.demand(headers_of(first) == headers_of(second), "the headers of two presentations differ")
    shared = windows_of(first, allowed) & windows_of(second, allowed)
    report.demand(not shared, f"two one-time presentations share {sorted(shared)[:3]}")
    again = f"{first.rpartition('~')[0]}~{second.rpartition('~')[2]}"
    report.twins["one credential shown twice"] = bool(windows_of(first, allowed) & windows_of(again, allowed))
    report.twins["a value that both show"] = bool(
        windows_of(first, {*lists, *of_all}) & windows_of(second, {*lists, *of_all})
    )


async def _twins(on: Platform, made: Made, report: Report) -> None:
    """A marker in each place, by its own door; every look but its own still finds nothing new there."""
    clean = {where for where, parts in (await contents(on, made)).items() if not search(where, b"\0".join(parts))}
    await _journal_twin(on, report)
    await _plant(on, made)
    found = await contents(on, made)
    report.twins |= {where: bool(search(where, b"\0".join(found[where]))) for where in clean}


async def _journal_twin(on: Platform, report: Report) -> None:
    """An offer that is over stays in the files until the daemon's next pass, and no longer."""
    await flow.offered(on, PEOPLE[4], "journal")
    await on.issuing.issuer.ledger.database.run(lambda connection: connection.execute(delete(OFFERS)))
    before = search("", b"\0".join(files_in(on.issuing.home)))
    await forget_what_ended(on.issuing.issuer)
    after = search("", b"\0".join(files_in(on.issuing.home)))
    report.twins["issuer: what was deleted, before the next pass"] = bool(before)
    report.demand(not after, "what was deleted stays in the issuer's files after its next pass")


async def _plant(on: Platform, made: Made) -> None:
    digest, text = keccak256(MARKER.encode()), MARKER.encode()
    flow.sent_on_hub(on, digest)
    # PUSH32 of the complement, NOT, PUSH1 0, SSTORE: the digest itself stands in the state alone.
    on.city.hub.send(None, b"\x7f" + bytes(one ^ 0xFF for one in digest) + b"\x19\x60\x00\x55\x00")
    await flow.offered(on, PEOPLE[4], "twin")
    entry = encode_log_entry(LogEntry(0, 1, Issuance(sha256(b"a key"), sha256(text))))
    row = issuances.IssuedRow(1 << 40, 1 << 30, 1, "residence", None, 0, 0, entry)
    await on.issuing.issuer.ledger.database.run(lambda connection: issuances.add_issuances(connection, [row]))
    await flow.presented_and_kept(on, made, PEOPLE[4])
    octets = sha256(text) + bytes(96)
    maker = on.issuing.issuer.maker
    signer = ListSigner(maker.key.header, maker.key.held, 15, lambda: on.clock[0])
    token = await signer.token("https://id.example/city/status/9", Statuses(1, octets), 0)
    on.wire.messages.append(replace(on.wire.fetches_of_lists()[0], answer=token.text.encode()))
    (on.folder / "wallet" / "note").write_bytes(text)
    get_logger("identity").warning("a twin", reason=MARKER)
    for common in (on.issuing.common, on.verifying.common):
        Counter("twin", "Planted.", ["who"], registry=common.registry).labels(MARKER).inc()
    await on.clients["id.example"].get("/healthz", headers={"x-twin": b64encode(b"x" + text).decode()})
    await on.issuing.door.record(digest)
    await flow.to_a_contract(on, made, PEOPLE[4], ("given_name",))
    await _plant_at_the_registrar(on)
    await on.relaying.relay(made.calldata)
    await on.relaying.hold(made.calldata)
    on.relaying.world.metrics.registry.register(_Twin())


class _Twin:
    """A metric whose label is the marker."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily("twin", "Planted.", labels=["who"])
        family.add_metric([MARKER], 1)
        yield family


async def _plant_at_the_registrar(on: Platform) -> None:
    """One whose salt, which should be random, is the marker: on the hub, and one who waits."""
    place = (on.registrar.registrar.did, 0)
    for name in ("on the hub", "waiting"):
        one = replace(person(name), salt=MARKER.encode().ljust(16, b"\0"))
        data = encode_registrations([registration(one, name, place)]).hex()
        body = {"shard": 0, "registrations": [data]}
        await on.registrar.post("/batches", body, office=True, code=202)
        if name == "on the hub":
            await on.registrar.writing.pass_once()
