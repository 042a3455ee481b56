"""Which list of its issuer's a credential is in: the last segment of its status URI is the list's number on the hub.

Who serves the list may change: any mirror's address will do, as long as it ends so. The issuer signs the URI.
"""

import re
from typing import Final

from hutong.light_clients.interface import MalformedInput, rule

SPEC: Final = "docs/spec/identity-acceptance.md"
_NUMBER = re.compile(r"[^?#]*/(0|[1-9][0-9]{0,18})")


@rule(SPEC)
def status_uri_names_a_list(uri: str) -> int:
    """The number of the list on the hub.

    Raises:
        MalformedInput: the URI does not end in `/` and a decimal number without leading zeros, or has a query or fragment.
    """
    found = _NUMBER.fullmatch(uri)
    if found is None:
        raise MalformedInput("status.status_list.uri", "does not end in the number of a list on the hub", got=uri)
    return int(found[1])
