"""What stands under `identity/parameters`: what a hub's governance says of the module as a whole."""

from dataclasses import dataclass
from typing import Final

from hutong.relay.services.identity.rules.records.encoding import check_number, decode_value, encode_value

STRUCT: Final = "(bool,uint64,uint64)"
MAX_STRANGERS = 4_096
MIN_STRANGER_LIFE_S = 3_600
MAX_STRANGER_LIFE_S = 31_536_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """`strangers` DIDs without an accreditation may stand at a time, each kept for at least `stranger_life_s`.

    With `persons` false the hub registers organisations only.
    """

    persons: bool = False
    strangers: int = 64
    stranger_life_s: int = 604_800

    def __post_init__(self) -> None:
        check_number("identity.strangers", self.strangers, most=MAX_STRANGERS)
        check_number(
            "identity.stranger_life_s", self.stranger_life_s, least=MIN_STRANGER_LIFE_S, most=MAX_STRANGER_LIFE_S
        )


DEFAULTS: Final = Parameters()


def encode_parameters(parameters: Parameters) -> bytes:
    """Inverse of `decode_parameters`."""
    return encode_value(STRUCT, (parameters.persons, parameters.strangers, parameters.stranger_life_s))


def decode_parameters(data: bytes) -> Parameters:
    """What governance says of the module.

    Raises:
        MalformedInput: an unknown version, another encoding, or a member out of its rule.
    """
    return Parameters(*decode_value(STRUCT, data, "identity"))
