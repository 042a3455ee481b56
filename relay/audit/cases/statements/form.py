"""What statements of every kind have in common: their names, and bounds."""

import re

from hutong.light_clients.interface.document import Document

SPEC = "docs/spec/case-evidence.md"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""Of statements, bundles, cases, chains, contracts and people."""
MAX_PACKET_ID_CHARS = 200


def name_of(document: Document, what: str) -> str:
    """A name; `what` as in "is not the name of a bundle".

    Raises:
        MalformedInput: it is not lower case letters, digits and `._-`, at most 64, beginning with a letter or digit.
    """
    return document.matching(NAME, what)


def bundle_id(document: Document) -> str:
    """The name of a bundle among the evidence's. That there is one is checked with the whole document.

    Raises:
        MalformedInput: as `name_of`.
    """
    return name_of(document, "the name of a bundle")
