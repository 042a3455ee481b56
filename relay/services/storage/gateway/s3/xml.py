"""S3's documents: written as text, read with bounds and without entities.

The danger: entities that multiply, or that read files. A document with a DOCTYPE is refused before anything is parsed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from hutong.relay.services.storage.gateway.s3.errors import shown_in_xml

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
MAX_XML_BYTES: Final = 2 * 2**20
MAX_NAMED: Final = 1_000
MAX_DEPTH: Final = 8


class MalformedXml(Exception):
    """A document that is not the one that the request has. One sentence."""


def element(name: str, *parts: str) -> str:
    """An element of parts that are XML already."""
    return f"<{name}>{''.join(parts)}</{name}>"


def text(name: str, value: object) -> str:
    """An element of a value. Characters that XML does not have come as `?`; listings encode keys by URL where they are asked to."""
    return f"<{name}>{escape(shown_in_xml(str(value)))}</{name}>"


def document(name: str, *parts: str) -> bytes:
    """A whole document of S3's namespace."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{NAMESPACE}">{"".join(parts)}</{name}>'.encode()


def iso_time(moment_ms: int) -> str:
    """As S3's documents have times."""
    moment = datetime.fromtimestamp(moment_ms / 1_000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment_ms % 1_000:03d}Z"


def http_time(moment_ms: int) -> str:
    """As `Last-Modified` has it."""
    return formatdate(moment_ms // 1_000, usegmt=True)


def parse(octets: bytes, root: str) -> ET.Element:
    """A document whose root has this name; namespaces are dropped.

    Raises:
        MalformedXml: too long, not UTF-8, with a DOCTYPE, not XML, too deep, or another document.
    """
    if len(octets) > MAX_XML_BYTES:
        raise MalformedXml(f"more than {MAX_XML_BYTES} bytes")
    try:
        # In another encoding a DOCTYPE has other bytes than those that are looked for.
        octets = octets.decode("utf-8-sig").encode()
    except UnicodeDecodeError:
        raise MalformedXml("is not UTF-8") from None
    if b"<!" in octets.replace(b"<!--", b""):
        raise MalformedXml("a document type is not taken")
    try:
        found = ET.fromstring(octets, ET.XMLParser(encoding="utf-8"))  # noqa: S314  no DOCTYPE, so no entities of its own
    except (ET.ParseError, ValueError, LookupError) as error:
        raise MalformedXml("is not XML") from error
    _check_depth(found, 0)
    for one in found.iter():
        one.tag = one.tag.rpartition("}")[2]
    if found.tag != root:
        raise MalformedXml(f"is not {root}")
    return found


def children(node: ET.Element, name: str, most: int) -> Sequence[ET.Element]:
    """Elements of a name, 1 to `most`.

    Raises:
        MalformedXml: none, or too many.
    """
    found = node.findall(name)
    if not 1 <= len(found) <= most:
        raise MalformedXml(f"has not 1 to {most} of {name}")
    return found


def text_of(node: ET.Element, name: str) -> str:
    """The text of the one element of a name.

    Raises:
        MalformedXml: there is not exactly one, or it has no text.
    """
    found = node.findall(name)
    if len(found) != 1 or not found[0].text:
        raise MalformedXml(f"has not one {name}")
    return found[0].text


def _check_depth(node: ET.Element, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise MalformedXml(f"has more than {MAX_DEPTH} levels")
    for one in node:
        _check_depth(one, depth + 1)
