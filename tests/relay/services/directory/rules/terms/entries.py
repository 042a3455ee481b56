"""Entries drawn by a seed, half of them Chinese, for indexes that are compared with a plain reading of all entries."""

from random import Random

from hutong.relay.services.directory.rules.terms.entry_texts import entry_text
from hutong.relay.services.directory.rules.terms.index import TermIndex

ENGLISH = ("road", "traffic", "flow", "hospital", "beds", "water", "quality", "bus", "stops", "Straße", "café")
CHINESE = ("交通", "流量", "医院", "床位", "水质", "监测", "公交", "车站", "北京市", "朝阳区")


def document(random: Random, number: int):
    if random.random() < 0.5:
        title = "".join(random.sample(CHINESE, 3))
    else:
        title = " ".join(random.sample(ENGLISH, 3))
    return {
        "@id": f"urn:ds:{number}",
        "title": title,
        "keyword": random.sample(ENGLISH + CHINESE, 2),
        "theme": [f"urn:theme:{random.randrange(4)}"],
    }


def documents(count: int, seed: int = 1):
    random = Random(seed)
    return [document(random, number) for number in range(count)]


def texts(count: int, seed: int = 1):
    return {number: entry_text(one) for number, one in enumerate(documents(count, seed))}


def index_of(entries) -> TermIndex:
    index = TermIndex()
    for sequence, entry in sorted(entries.items()):
        index.add(sequence, entry.terms)
    return index
