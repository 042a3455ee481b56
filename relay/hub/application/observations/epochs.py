"""Epochs of clients: each freeze, expiry and recovery begins a new one, and observations of earlier ones are worthless.

They are compared with the clients at the end of each block and not by the calls that freeze or recover, so that expiry,
which no call makes, is treated alike and no path can forget it (ADR 21).
"""

from collections.abc import Mapping

from hutong.light_clients.interface import ClientStatus, LightClient
from hutong.light_clients.records import ClientEpoch, decode_epoch, encode_epoch, epoch_key
from hutong.relay.hub.application.clients import Clients, Store
from hutong.relay.hub.application.frame import Frame
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.hub.state import keys


def epoch_of(store: Store, client_id: str) -> ClientEpoch | None:
    """The client's epoch as it stands; None where the client was never observed."""
    raw = store.get(epoch_key(client_id))
    return None if raw is None else decode_epoch(raw)


def refresh_epoch(store: Store, clients: Clients, client_id: str) -> ClientEpoch:
    """The client's epoch as it has to be now, which is written where it differs; the first one where there is none.

    Raises:
        UnknownClient, MalformedInput: as `Clients.client_state`.
    """
    is_readable = clients.status(client_id) is ClientStatus.ACTIVE
    generation = clients.generation(client_id)
    standing = epoch_of(store, client_id)
    due = ClientEpoch(1, is_readable, generation) if standing is None else standing.followed_by(is_readable, generation)
    if due != standing:
        store.set(epoch_key(client_id), encode_epoch(due))
    return due


def close_block(frame: Frame, light_clients: Mapping[str, LightClient]) -> None:
    """Raise the epochs of clients that have changed, after the transactions of a block of any kind."""
    if frame.rules_version < rules_versions.RECORDS:
        return
    view = frame.view
    prefix = keys.OBSERVED_CLIENT_PREFIX
    observed = [key[len(prefix) :].decode("ascii") for key, _ in view.with_prefix(prefix)]
    if not observed:
        return
    clients = Clients(light_clients, view, frame.now_ns, frame.height, frame.rules_version)
    for client_id in observed:
        refresh_epoch(view, clients, client_id)
