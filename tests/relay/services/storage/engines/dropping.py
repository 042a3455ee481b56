"""An engine that keeps what was written in its memory until somebody syncs it: what a loss of power takes."""

from hutong.relay.services.storage.engines.engine import AlreadyThere, NotThere, check_name


class DroppingEngine:
    """See `Engine`. It lies on request: with `is_durable` set it says that it syncs, and does not."""

    kind = "s3"
    location = "s3://dropping"

    def __init__(self, is_durable: bool = False) -> None:
        self.is_durable = is_durable
        self.synced: dict[str, bytes] = {}
        self.objects: dict[str, bytes] = {}

    def sync(self) -> None:
        self.synced = dict(self.objects)

    def lose_power(self) -> None:
        self.objects = dict(self.synced)

    def create(self, name: str, octets: bytes) -> str:
        if self.objects.setdefault(check_name(name), octets) is not octets:
            raise AlreadyThere(name)
        return "tag"

    def replace(self, name: str, octets: bytes) -> str:
        self.objects[check_name(name)] = octets
        return "tag"

    def read(self, name: str, start: int, size: int) -> bytes:
        found = self.read_back(name)[start : start + size]
        if not found:
            raise NotThere(name)
        return found

    def read_back(self, name: str) -> bytes:
        try:
            return self.objects[check_name(name)]
        except KeyError:
            raise NotThere(name) from None

    def delete(self, name: str) -> None:
        self.objects.pop(check_name(name), None)

    def names(self, prefix: str):
        return iter([name for name in self.objects if name.startswith(prefix)])

    def free_bytes(self) -> int | None:
        return None
