"""Sums over the whole ledger. Each is one pass over an index, or over a bounded number of the newest rows."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, String, bindparam, func, select, text, type_coerce

from hutong.relay.ledger.reading.message_query import Bounds, Lane, lanes, newest, terms_of
from hutong.relay.ledger.reading.reading import Reading
from hutong.relay.ledger.store.cost_sums import sum_costs
from hutong.relay.ledger.store.rows import raw_columns, route_state, wei
from hutong.relay.ledger.store.tables import DeliveryRow, MessageRow, PacketRow, RouteRow
from hutong.relay.ledger.values.errors import LedgerDamaged
from hutong.relay.ledger.values.messages import (
    Estimate,
    MeanFee,
    MessageState,
    OpenRoute,
    RouteTotal,
    SeriesBucket,
    Totals,
)
from hutong.relay.ledger.values.packets import RouteState

MAX_SAMPLES = 500
MAX_BUCKETS = 1_000
NS = 10**9

_UNSETTLED = (MessageState.OPEN, MessageState.DEAD)


class Figures(Reading):
    """What the API shows of all messages together."""

    def totals(self) -> Totals:
        """Sums over everything that is kept; rows that cannot be read are counted in `damaged` and left out.

        The cost grows with the ledger: a pass over the index of lanes, two over the transactions. For a cache of some
        seconds.

        Raises:
            LedgerUnavailable: the database cannot be read.
        """
        counted = select(MessageRow.lane, MessageRow.state, func.count().label("count"))
        states: Counter[MessageState] = Counter()
        routes: dict[Lane, list[int]] = defaultdict(lambda: [0, 0])
        damaged = 0
        for row in self._rows(counted.group_by(MessageRow.lane, MessageRow.state)):
            lane, count = Lane.parse(row["lane"]), int(row["count"])
            if lane is None or row["state"] not in frozenset(MessageState):
                damaged += count
                continue
            state = MessageState(row["state"])
            states[state] += count
            routes[lane][0] += count
            routes[lane][1] += count if state in _UNSETTLED else 0
        costs, unread = sum_costs(self._rows, sqlite=self.engine.dialect.name == "sqlite")
        return Totals(
            total=sum(states.values()),
            states={state: states[state] for state in MessageState},
            routes=tuple(
                RouteTotal(lane.source, lane.destination, lane.app, total, open_)
                for lane, (total, open_) in sorted(routes.items(), key=lambda item: item[0].name)
            ),
            costs=tuple(costs),
            damaged=damaged + unread,
        )

    def series(self, window_s: int, bucket_s: int, now_ns: int) -> tuple[SeriesBucket, ...]:
        """What happened in the last `window_s`, cut into buckets of `bucket_s`: oldest first, the last bucket holds
        `now_ns`.

        Buckets begin at multiples of their width since 1970, so the window ends after `now_ns`. The cost grows with
        what happened in the window. For a cache of some seconds.

        Raises:
            ValueError: `window_s // bucket_s` is not 1 to MAX_BUCKETS.
            LedgerUnavailable: the database cannot be read.
        """
        buckets = window_s // bucket_s
        if not 1 <= buckets <= MAX_BUCKETS:
            raise ValueError(f"a series has 1 to {MAX_BUCKETS} buckets, not {buckets}")
        width_ns = bucket_s * NS
        start_ns = (now_ns // width_ns + 1 - buckets) * width_ns
        bounds = {"start": start_ns, "width": width_ns}
        sent = {row["bucket"]: int(row["count"]) for row in self._rows(_SENT, bounds | {"buckets": buckets})}
        bounds["end"] = start_ns + buckets * width_ns
        settled = {int(row["bucket"]): row for row in self._rows(_SETTLED, bounds)}
        return tuple(
            SeriesBucket(
                start_ns + index * width_ns,
                sent.get(index, 0),
                int(settled[index]["count"]) if index in settled else 0,
                _seconds(settled[index]["p50"]) if index in settled else None,
                _seconds(settled[index]["p95"]) if index in settled else None,
            )
            for index in range(buckets)
        )

    def estimate(self, source: str, destination: str, since_ns: int) -> Estimate:
        """How long messages between two chains took, from the newest `MAX_SAMPLES` acknowledged ones of every app.

        Args:
            source, destination: the ends of the whole way; a hub between them is not named.
            since_ns: older messages do not count.

        Raises:
            LedgerUnavailable: the database cannot be read.
        """
        chosen = [lane for lane in lanes(self._rows) if (lane.source, lane.destination) == (source, destination)]
        terms = terms_of(None, chosen, MessageState.ACKNOWLEDGED) or []
        found = newest(self._rows, terms, Bounds(from_ns=since_ns), MAX_SAMPLES, lateral=self._lateral)
        if not found:
            return Estimate(0, None, None, ())
        measured = self._rows(_MEASURED, {"ids": [one.packet_id for one in found]})
        latencies = Counter(row["latency_ns"] for row in measured if isinstance(row["latency_ns"], int))
        tenths = [(latency // 10**8, count) for latency, count in latencies.items()]
        legs = {leg: row["packet_id"] for row in measured for leg in (row["packet_id"], row["second_id"]) if leg}
        fees: dict[str, int] = defaultdict(int)
        payers: dict[str, set[str]] = defaultdict(set)
        for row in self._rows(_FEES, {"ids": list(legs)}):
            if (fee_wei := wei(row["fee_wei"])) is not None:
                fees[row["chain"]] += fee_wei
                payers[row["chain"]].add(legs[row["packet_id"]])
        means = tuple(MeanFee(chain, fee_wei // len(payers[chain])) for chain, fee_wei in sorted(fees.items()))
        return Estimate(latencies.total(), _quantile(tenths, 0.5), _quantile(tenths, 0.95), means)

    def open_by_route(self) -> tuple[OpenRoute, ...]:
        """Unsettled packets by the route of their present step, in order of names; also routes that wait with no
        packet.

        A route whose row cannot be read is counted without its state.

        Raises:
            LedgerUnavailable: the database cannot be read.
        """
        states: dict[str, RouteState] = {}
        for row in self._rows(select(*raw_columns(RouteRow)).where(RouteRow.reason.is_not(None))):
            try:
                states[row["route"]] = route_state(row)
            except LedgerDamaged:
                continue  # it is named where it is read by name
        counts: Counter[str] = Counter()
        for row in self._rows(_OPEN):
            end = "destination" if row["kind"] == "receive" else "source"
            counts[f"{row[f'{end}_chain']}:{row[f'{end}_client']}"] += int(row["count"])
        return tuple(OpenRoute(name, counts[name], states.get(name)) for name in sorted(counts.keys() | states.keys()))


def _seconds(tenths: Any) -> float | None:
    return None if tenths is None else int(tenths) / 10


def _quantile(weighted: Sequence[tuple[int, int]], share: float) -> float | None:
    """Nearest rank, in seconds, of (tenths of a second, count)."""
    total = sum(count for _, count in weighted)
    if not total:
        return None
    rank, below = max(1, -(-int(total * share * 100) // 100)), 0
    for tenths, count in sorted(weighted):
        below += count
        if below >= rank:
            return tenths / 10
    return None


# A bucket is a stretch of the index, and counting it is five times as quick as asking of every row for its bucket.
_SENT = text(
    "WITH RECURSIVE buckets(bucket) AS (SELECT 0 UNION ALL SELECT bucket + 1 FROM buckets WHERE bucket + 1 < :buckets)"
    " SELECT bucket, (SELECT count(*) FROM messages WHERE ordered_at_ns >= :start + bucket * :width"
    " AND ordered_at_ns < :start + (bucket + 1) * :width) AS count FROM buckets"
).bindparams(*(bindparam(name, type_=BigInteger) for name in ("start", "width", "buckets")))
# Quantiles by nearest rank. Bucket and tenth of a second are one number while they are counted: two are sorted for longer.
_SETTLED = text(
    """
WITH counted AS (
  SELECT (settled_at_ns - :start) / :width * 1000000000000 + coalesce(latency_ns / 100000000, 999999999999) AS place,
    count(*) AS count
  FROM messages WHERE settled_at_ns >= :start AND settled_at_ns < :end GROUP BY 1
), found AS (
  SELECT place / 1000000000000 AS bucket, nullif(place % 1000000000000, 999999999999) AS tenths, count FROM counted
), measured AS (
  SELECT bucket, tenths, count, CASE WHEN tenths IS NULL THEN 0 ELSE count END AS known FROM found
), ranked AS (
  SELECT bucket, tenths, count, sum(known) OVER (PARTITION BY bucket ORDER BY tenths) AS below,
    sum(known) OVER (PARTITION BY bucket) AS total
  FROM measured
)
SELECT bucket, sum(count) AS count, min(CASE WHEN below * 100 >= total * 50 THEN tenths END) AS p50,
  min(CASE WHEN below * 100 >= total * 95 THEN tenths END) AS p95
FROM ranked GROUP BY bucket
"""
).bindparams(*(bindparam(name, type_=BigInteger) for name in ("start", "end", "width")))
_IDS: Any = bindparam("ids", expanding=True)
_MEASURED = select(MessageRow.packet_id, MessageRow.second_id, MessageRow.latency_ns).where(
    MessageRow.packet_id.in_(_IDS)
)
_FEES = select(
    DeliveryRow.packet_id, DeliveryRow.chain, type_coerce(DeliveryRow.fee_wei, String).label("fee_wei")
).where(DeliveryRow.packet_id.in_(_IDS))
_OPEN = (
    select(
        PacketRow.kind,
        PacketRow.source_chain,
        PacketRow.source_client,
        PacketRow.destination_chain,
        PacketRow.destination_client,
        func.count().label("count"),
    )
    .where(PacketRow.outcome.is_(None))
    .group_by(
        PacketRow.kind,
        PacketRow.source_chain,
        PacketRow.source_client,
        PacketRow.destination_chain,
        PacketRow.destination_client,
    )
)
