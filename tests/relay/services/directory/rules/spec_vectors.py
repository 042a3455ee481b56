"""Vectors of docs/spec/directory-log.md: `python -m tests.relay.services.directory.rules.spec_vectors` prints them."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from hutong.relay.services.directory.rules.log.operations import encode_logged, encode_operations
from hutong.relay.services.directory.rules.log.pages import encode_operations_page, make_operations_page
from hutong.relay.services.directory.rules.records import keys
from hutong.relay.services.directory.rules.records.facets import EVERYTHING, encode_head
from tests.relay.services.directory.rules.log.published import HEALTH, TRAFFIC, Published, put, update, withdraw

PAGE = Path(__file__).resolve().parents[5] / "docs" / "spec" / "directory-log.md"


def vectors() -> dict[str, Any]:
    given = [put(1, themes=(TRAFFIC, HEALTH)), update(1, 1, number=2, themes=(HEALTH,)), withdraw(1, 2)]
    made = Published().publish(*given)
    return {
        "code of urn:theme:traffic": sha256(b"hutong/directory/facet/1\x03urn:theme:traffic").hexdigest(),
        "entry": made.log[0].entry.hex(),
        "operations": [encode_operations([one]).hex() for one in given],
        "logged": [encode_logged(one).hex() for one in made.log],
        "leaves": [sha256(b"\x00" + encode_logged(one)).hexdigest() for one in made.log],
        "heads": {keys.head_key(facet).hex(): encode_head(head).hex() for facet, head in sorted(made.heads.items())},
        "root": made.heads[EVERYTHING].root.hex(),
        "page 1 to 2 sha256": sha256(
            encode_operations_page(make_operations_page(EVERYTHING, made.log, 1, 2))
        ).hexdigest(),
    }


def on_page() -> dict[str, Any]:
    found = re.search(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    return json.loads(found[1])


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=1))
