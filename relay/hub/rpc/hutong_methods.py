"""The `hutong_*` JSON-RPC methods of the hub: clients, forwards and what is unsettled, read from state."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import trio

from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface import ClientStatus, MalformedInput
from hutong.relay.evm.rpc.json_errors import INVALID_PARAMS, SERVER_ERROR, JsonRpcError, invalid_params
from hutong.relay.evm.rpc.json_params import Method, Params
from hutong.relay.hub.application.abci import CODE_OK
from hutong.relay.hub.application.application import HubApplication
from hutong.relay.hub.application.clients import Clients, NoCounterparty, UnknownClient
from hutong.relay.hub.application.evidence_records import read_records
from hutong.relay.hub.application.named_code import BY_DECISION, runs_any_code
from hutong.relay.hub.application.packets.shared_quotas import Lane, SharedQuotas
from hutong.relay.hub.application.queries import QUERY_STORE_PATHS
from hutong.relay.hub.rpc.forward_rows import waiting_packet
from hutong.relay.hub.rpc.record_rows import observation_rows, service_rows, writer_rows
from hutong.relay.hub.rpc.unsettled import UnsettledPackets
from hutong.relay.hub.state import StateView, keys
from hutong.relay.services.directory.rules.records.keys import DIRECTORY_PREFIX
from hutong.relay.services.identity.rules.records.keys import IDENTITY_PREFIX
from hutong.relay.services.storage.rules.records.keys import STORAGE_PREFIX

MAX_ROWS = 1_000
"""Per answer; the caller goes on from the last sequence that it was given."""
RECORD_PATH = QUERY_STORE_PATHS[0]
_HASH = re.compile(r"0x[0-9a-fA-F]{64}", re.ASCII)
_CLIENT_STATE_KEY = re.compile(rb"clients/([^/]+)/state")


class HutongMethods:
    """Every method answers from one committed version, whose height it returns."""

    def __init__(self, application: HubApplication) -> None:
        self._application = application
        self._open_packets = UnsettledPackets(lambda: application.view()[0])
        self._readers = trio.CapacityLimiter(4)

    def methods(self) -> Mapping[str, Method]:
        """Method by its JSON-RPC name. Each reads in a worker thread, at most four at once.

        The methods raise the JSON-RPC error -32602 for parameters of another form, or too many.
        """
        return {
            "hutong_forwardFailure": self._method(2, self._forward_failure),
            "hutong_pendingForwards": self._method(2, self._pending_forwards),
            "hutong_unsettled": self._method(2, self._unsettled),
            "hutong_stuck": self._method(2, self._stuck),
            "hutong_quota": self._method(1, self._quota),
            "hutong_denoms": self._method(1, self._denoms),
            "hutong_clients": self._method(0, self._clients),
            "hutong_client": self._method(1, self._client),
            "hutong_chain": self._method(0, self._chain),
            "hutong_evidence": self._method(0, self._evidence),
            "hutong_code": self._method(2, self._code),
            "hutong_observations": self._method(1, self._observations),
            "hutong_observationWriters": self._method(1, self._observation_writers),
            "hutong_record": self._method(2, self._record),
            "hutong_identity": self._method(2, self._identity),
            "hutong_storage": self._method(2, self._storage),
            "hutong_directory": self._method(2, self._directory),
        }

    def _method(self, most: int, read: Callable[[Params], Any]) -> Method:
        async def call(params: Params) -> Any:
            params.at_most(most)
            return await trio.to_thread.run_sync(read, params, limiter=self._readers)

        return call

    def _evidence(self, _params: Params) -> list[dict[str, Any]]:
        """Who signed two votes at a height, oldest height first, and the block that carries both."""
        view, _, _ = self._application.view()
        return [
            {
                "validator": "0x" + record.misbehaviour.address.hex(),
                "height": hex(record.misbehaviour.height),
                "power": hex(record.misbehaviour.power),
                "totalPower": hex(record.misbehaviour.total_power),
                "timeNs": hex(record.misbehaviour.time_ns),
                "recordedAt": hex(record.recorded_at),
            }
            for record in islice(read_records(view), MAX_ROWS)
        ]

    def _code(self, params: Params) -> dict[str, Any]:
        """(after deployer, after contract): who may run code; the named accounts and contracts in the order of their addresses,
        and who created a contract, or null where it was named by a decision."""
        view, height, _ = self._application.view()
        deployers = [f"0x{one.hex()}" for one, _ in _names(view, keys.DEPLOYER_PREFIX, params, 0)]
        contracts = [
            {"address": f"0x{one.hex()}", "deployer": None if deployer == BY_DECISION else f"0x{deployer.hex()}"}
            for one, deployer in _names(view, keys.NAMED_CONTRACT_PREFIX, params, 1)
        ]
        version = self._application.coming.rules_version(height + 1)
        return {"open": runs_any_code(view, version), "deployers": deployers, "contracts": contracts}

    def _observations(self, params: Params) -> list[dict[str, Any]]:
        """(after key = none): values of other chains' state that the hub keeps, in the order of their keys."""
        view, _, _ = self._application.view()
        return observation_rows(view, params.data(0, keys.MAX_KEY_BYTES) if params.has(0) else b"", MAX_ROWS)

    def _observation_writers(self, params: Params) -> dict[str, Any]:
        """(after address = none): who opens keys of observations: everybody, or the named writers."""
        view, _, _ = self._application.view()
        return writer_rows(view, params.address(0) if params.has(0) else b"", MAX_ROWS)

    def _identity(self, params: Params) -> list[dict[str, Any]]:
        """(prefix, after key = none): identity records under a prefix, in the order of their keys."""
        return self._rows_of(IDENTITY_PREFIX, params)

    def _storage(self, params: Params) -> list[dict[str, Any]]:
        """(prefix, after key = none): storage records under a prefix, in the order of their keys."""
        return self._rows_of(STORAGE_PREFIX, params)

    def _directory(self, params: Params) -> list[dict[str, Any]]:
        """(prefix, after key = none): directory records under a prefix, in the order of their keys."""
        return self._rows_of(DIRECTORY_PREFIX, params)

    def _rows_of(self, service: bytes, params: Params) -> list[dict[str, Any]]:
        prefix = params.data(0, keys.MAX_KEY_BYTES)
        after = params.data(1, keys.MAX_KEY_BYTES) if params.has(1) else b""
        view, _, _ = self._application.view()
        return service_rows(view, service, prefix, after, MAX_ROWS)

    def _record(self, params: Params) -> dict[str, Any]:
        """(key, height = newest): a value of the hub's state after block `height`, or null, with its ICS-23 proof."""
        key = params.data(0, keys.MAX_KEY_BYTES)
        height = params.quantity(1) if params.has(1) else 0
        found = self._application.query(RECORD_PATH, key, height, prove=True)
        if found.code != CODE_OK:
            raise JsonRpcError(SERVER_ERROR if key else INVALID_PARAMS, found.log)
        return {
            "key": f"0x{key.hex()}",
            "value": f"0x{found.value.hex()}" if found.value else None,
            "height": hex(found.height - 1),
            "headerHeight": hex(found.height),
            "proof": f"0x{found.proof.hex()}",
        }

    def _forward_failure(self, params: Params) -> str | None:
        """(client, sequence): why the hub failed this packet, or null."""
        view, _, _ = self._application.view()
        reason = view.get(keys.forward_reason_key(_client_id(params, 0), params.quantity(1)))
        return None if reason is None else reason.decode(errors="replace")

    def _pending_forwards(self, params: Params) -> list[dict[str, Any]]:
        """(next client, after sequence = 0): leg 2 of each forward that waits for its settlement, with leg 1."""
        client_id, after = _client_id(params, 0), _after(params)
        while True:
            view, sequences = self._open_packets.above(client_id, after, MAX_ROWS)
            waiting = [waiting_packet(view, client_id, sequence) for sequence in sequences]
            forwards = [row for row in waiting if row["origin"] is not None]
            if forwards or not sequences:
                return forwards
            after = sequences[-1]

    def _unsettled(self, params: Params) -> list[str]:
        """(client, after sequence = 0): sequences of packets sent over the client that are not settled, ascending."""
        _, sequences = self._open_packets.above(_client_id(params, 0), _after(params), MAX_ROWS)
        return [hex(sequence) for sequence in sequences]

    def _stuck(self, params: Params) -> list[dict[str, Any]]:
        """(client = every one, after sequence = 0): what was sent over clients that are not Active and waits for recovery."""
        view, height, time_ns = self._application.view()
        clients = self._clients_at(view, height, time_ns)
        found: list[dict[str, Any]] = []
        for client_id in [_client_id(params, 0)] if params.has(0) else list(_client_ids(view)):
            if view.get(keys.client_state_key(client_id)) is None:
                continue
            status = clients.status(client_id)
            if status is ClientStatus.ACTIVE:
                continue
            now, sequences = self._open_packets.above(client_id, _after(params), MAX_ROWS - len(found))
            found += [waiting_packet(now, client_id, one) | {"clientStatus": str(status)} for one in sequences]
        return found

    def _quota(self, params: Params) -> dict[str, Any]:
        """(client): what may be in flight over it, and what is; from rules version 3 on by origin, and of tokens going home."""
        view, _, _ = self._application.view()
        client_id, quotas = _client_id(params, 0), SharedQuotas(view)
        limit, load = quotas.limit(client_id), quotas.in_flight(client_id)
        redemptions = quotas.lane_load(client_id, Lane.REDEMPTIONS)
        return {
            "client": client_id,
            "packetLimit": hex(limit.packets),
            "byteLimit": hex(limit.payload_bytes),
            "packetsInFlight": hex(load.packets),
            "bytesInFlight": hex(load.payload_bytes),
            "origins": {
                origin: {"packets": hex(share.packets), "bytes": hex(share.payload_bytes)}
                for origin, share in quotas.by_origin(client_id).items()
            },
            "redemptionsInFlight": hex(redemptions.packets),
            "redemptionBytesInFlight": hex(redemptions.payload_bytes),
        }

    def _denoms(self, params: Params) -> list[dict[str, Any]]:
        """(after hash = none): denominations that the hub has held, in the order of their hashes, with their supply."""
        view, _, _ = self._application.view()
        prefix = keys.TRANSFER_DENOM_PREFIX
        found: list[dict[str, Any]] = []
        row = view.next(prefix + (_hash(params, 0) if params.has(0) else b""))
        while row is not None and row[0].startswith(prefix) and len(found) < MAX_ROWS:
            denom_hash = row[0][len(prefix) :]
            supply = view.get(keys.transfer_supply_key(denom_hash))
            found.append(
                {
                    "hash": f"0x{denom_hash.hex()}",
                    "denom": row[1].decode(),
                    "supply": hex(0 if supply is None else int.from_bytes(supply, "big")),
                }
            )
            row = view.next(row[0])
        return found

    def _clients(self, params: Params) -> list[dict[str, Any]]:
        """Every client with its status, newest height and counterparty."""
        view, height, time_ns = self._application.view()
        return [self._describe(view, height, time_ns, client_id) for client_id in _client_ids(view)]

    def _client(self, params: Params) -> dict[str, Any] | None:
        view, height, time_ns = self._application.view()
        client_id = _client_id(params, 0)
        known = view.get(keys.client_state_key(client_id)) is not None
        return self._describe(view, height, time_ns, client_id) if known else None

    def _chain(self, params: Params) -> dict[str, Any]:
        """Identity, parameters, admins, and whether packets are paused."""
        view, height, _ = self._application.view()
        genesis = self._application.genesis
        return {
            "chainId": genesis.chain_id,
            "evmChainId": hex(genesis.evm_chain_id),
            "height": hex(height),
            "rulesVersion": self._application.coming.rules_version(height),
            "genesisHash": f"0x{genesis.digest.hex()}",
            "trustingPeriod": genesis.params.trusting_period_s,
            "unbondingPeriod": genesis.params.unbonding_period_s,
            "blockIntervalMs": genesis.params.block_interval_ms,
            "governedBy": "validators" if genesis.admins is None else "admins",
            "admins": [] if genesis.admins is None else [f"0x{address.hex()}" for address in genesis.admins.addresses],
            "adminThreshold": 0 if genesis.admins is None else genesis.admins.threshold,
            "paused": view.get(keys.PAUSED_KEY) is not None,
        }

    def _clients_at(self, view: StateView, height: int, time_ns: int) -> Clients:
        rules_version = self._application.coming.rules_version(height)
        return Clients(self._application.light_clients, view, time_ns, height, rules_version)

    def _describe(self, view: StateView, height: int, time_ns: int, client_id: str) -> dict[str, Any]:
        clients = self._clients_at(view, height, time_ns)
        latest = clients.latest_height(client_id)
        try:
            counterparty = clients.counterparty(client_id)
        except (NoCounterparty, UnknownClient):
            other: dict[str, Any] | None = None
        else:
            other = {
                "client": counterparty.client_id,
                "merklePrefix": [f"0x{element.hex()}" for element in counterparty.merkle_prefix],
            }
        sequence = view.get(keys.next_sequence_key(client_id))
        return {
            "client": client_id,
            "status": str(clients.status(client_id)),
            "latestHeight": {"revisionNumber": latest.revision_number, "revisionHeight": latest.revision_height},
            "latestTimestampNs": str(clients.latest_timestamp_ns(client_id)),
            "counterparty": other,
            "nextSequenceSend": hex(1 if sequence is None else int.from_bytes(sequence, "big")),
        }


def _names(view: StateView, prefix: bytes, params: Params, place: int) -> Iterator[tuple[bytes, bytes]]:
    """At most MAX_ROWS named addresses with their values, after the given one."""
    last = prefix + (params.address(place) if params.has(place) else b"")
    for _ in range(MAX_ROWS):
        row = view.next(last)
        if row is None or not row[0].startswith(prefix):
            return
        yield row[0][len(prefix) :], row[1]
        last = row[0]


def _client_id(params: Params, index: int) -> str:
    value = params.raw(index)
    if not isinstance(value, str):
        raise invalid_params(f"argument {index} is not a client identifier")
    try:
        return check_client_id(value)
    except MalformedInput as error:
        raise invalid_params(f"argument {index}: {error}") from error


def _after(params: Params) -> int:
    return params.quantity(1) if params.has(1) else 0


def _hash(params: Params, index: int) -> bytes:
    value = params.raw(index)
    if not isinstance(value, str) or _HASH.fullmatch(value) is None:
        raise invalid_params(f"argument {index} is not 32 bytes in hex")
    return bytes.fromhex(value[2:])


def _client_ids(view: StateView) -> Iterator[str]:
    """Every `clients/<id>/state` key; skips the consensus states between them by seeking."""
    row = view.next(b"clients/")
    while row is not None and row[0].startswith(b"clients/"):
        match = _CLIENT_STATE_KEY.fullmatch(row[0])
        if match is not None:
            yield match[1].decode()
        owner = row[0].split(b"/", 2)[1]
        kind = row[0].split(b"/", 3)[2]
        row = view.next(b"clients/" + owner + b"/" + kind + b"\xff")
