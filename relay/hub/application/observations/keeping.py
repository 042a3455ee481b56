"""Which of two observations of one place stands in the hub's state."""

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.records import Observation, decode_observation, encode_observation
from hutong.relay.evm.vm.native import Address
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.observations.writers import Writers


def keep_observation(store: Store, caller: Address, key: bytes, observation: Observation) -> bytes | None:
    """Write a proven observation under its key, which `caller` opens where nothing is there yet.

    Returns:
        What is written; None where the same or a newer block of this epoch is told of already.

    Raises:
        ObservationsNotOpen, TooManyObservations: the caller may not open the key.
        PredicateFailed: `observation_agrees`, another value is written of this height.
    """
    raw = store.get(key)
    if raw is None:
        Writers(store).open(key, caller)
    else:
        present = decode_observation(raw)
        if present.epoch == observation.epoch and present.height >= observation.height:
            if present.height == observation.height and present.value != observation.value:
                raise PredicateFailed(
                    "observation_agrees",
                    "another value is written of this height",
                    got=observation.value or "nothing",
                    expected=present.value or "nothing",
                )
            return None
    encoded = encode_observation(observation)
    store.set(key, encoded)
    return encoded
