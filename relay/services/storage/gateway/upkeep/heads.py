"""A pack with catalogue sections, read whole: events, the manifests before them, and so the packs that lie in its batch."""

from dataclasses import dataclass, replace
from typing import Final

from hutong.light_clients.interface import MalformedInput, PredicateFailed
from hutong.relay.services.storage.catalogue.rows import HeadPlace
from hutong.relay.services.storage.gateway.events import Event, decode_event, open_page
from hutong.relay.services.storage.gateway.pack_reading import PackSource, Unreadable
from hutong.relay.services.storage.gateway.reading import Reader
from hutong.relay.services.storage.rules.objects.cid import Cid
from hutong.relay.services.storage.rules.packs.body import MAGIC, ROW_BYTES, TRAILER_BYTES, SectionKind, read_body
from hutong.relay.services.storage.rules.packs.naming import pack_name

NOBODY: Final = bytes(32)
"""A root that no shard has."""


@dataclass(frozen=True, slots=True)
class HeadEvent:
    """An event, where it lies, and the manifest right before it, empty where there is none. The place names no pack's number."""

    event: Event
    place: HeadPlace
    manifest: bytes


async def read_head(reader: Reader, source: PackSource, catalogue_root: bytes) -> list[HeadEvent]:
    """Events of a pack; none of one whose last section is not of the catalogue, of which the end alone is read.

    Args:
        source: with the roots that the catalogue or a manifest has.

    Raises:
        Unreadable: too few operators have it.
        MalformedInput, PredicateFailed: it is no pack, another one, or another tenant's.
    """
    if await _last_kind(reader, source) != SectionKind.CATALOGUE:
        return []
    return _events(_judged(source, await reader.section(source, 0, source.shape.body_bytes)), catalogue_root)


async def read_listed_head(
    reader: Reader, source: PackSource, catalogue_root: bytes
) -> tuple[PackSource, list[HeadEvent]]:
    """As `read_head`, of a pack of which operators alone say the roots. Returns it with the roots that its body has, where it was read.

    The danger: a mask is laid over a shard by XOR, so an operator that changes a bit of what it holds, and lists the root of that, changes
    this very bit of what is read, such as the kind of the last section: the pack would be passed over, and what it tells forgotten. So the
    end is believed where all shards that are shown there are of one codeword; else the whole body is read, and judged by the pack's name.

    Raises:
        Unreadable, MalformedInput, PredicateFailed: see `read_head`; also where more than one operator lies.
    """
    try:
        kind = await _last_kind(reader, source)
    except MalformedInput:
        kind = SectionKind.CATALOGUE  # so it seems; the body says
    if kind != SectionKind.CATALOGUE and await reader.is_agreed(source, _last_row_at(source)):
        return source, []
    body = await _listed_body(reader, source)
    return replace(source, roots=reader.roots_of(source, body)), _events(body, catalogue_root)


def _last_row_at(source: PackSource) -> int:
    return source.shape.body_bytes - TRAILER_BYTES - ROW_BYTES


async def _last_kind(reader: Reader, source: PackSource) -> int:
    tail = await reader.section(source, _last_row_at(source), ROW_BYTES + TRAILER_BYTES)
    if tail[ROW_BYTES : ROW_BYTES + len(MAGIC)] != MAGIC:
        raise MalformedInput("pack", "does not end as a pack does")
    return tail[0]


def _judged(source: PackSource, body: bytes) -> bytes:
    if pack_name(body) != source.name:
        raise PredicateFailed("body_has_the_packs_name", "another body", got=pack_name(body), expected=source.name)
    return body


async def _listed_body(reader: Reader, source: PackSource) -> bytes:
    """The body of a pack, also where one operator lists another shard than its own: it is read without each of them."""
    failed: PredicateFailed | None = None
    for left_out in (None, *range(source.shape.shards)):
        roots = tuple(NOBODY if number == left_out else root for number, root in enumerate(source.roots))
        try:
            return _judged(source, await reader.section(replace(source, roots=roots), 0, source.shape.body_bytes))
        except PredicateFailed as error:
            failed = failed or error
        except Unreadable as error:
            raise failed or error from None
    assert failed is not None
    raise failed


def _events(body: bytes, catalogue_root: bytes) -> list[HeadEvent]:
    found = []
    manifest = b""
    for section in read_body(body).sections:
        octets = body[section.offset : section.offset + section.length]
        if section.kind is SectionKind.CATALOGUE:
            event = decode_event(open_page(catalogue_root, octets))
            place = HeadPlace(0, section.offset - len(manifest), len(manifest), section.length)
            own = [segment for segment in event.segments if not segment.pack]
            if own and Cid.of(manifest).digest != event.own_digest:
                raise PredicateFailed("manifest_is_the_events", "another manifest", got=event.own_digest)
            found.append(HeadEvent(event, place, manifest))
        manifest = octets if section.kind is SectionKind.MANIFEST else b""
    return found
