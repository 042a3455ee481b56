"""What runs in the process of a token's session: requests on standard input, answers on standard output, one after the other.

It is started by its path and imports nothing of hutong: the process that knows the PIN has the token's library, python-pkcs11 and
little else. It never tries again. What it cannot do it answers with a code and ends, or is ended: a new process finds the
token anew, whatever became of sessions, handles and slots. Source: PKCS #11 base specification 2.40 and 3.0 (OASIS).
"""

import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Any

MAX_LINE_BYTES = 256 * 1024
MAX_PIN_BYTES = 256
MAX_KEYS = 256
MAX_MARKS = 64

LOST = "lost"
"""Session, handle, slot or device: a new process may find them again."""
NO_LIBRARY = "no-library"
NO_TOKEN = "no-token"  # noqa: S105  # a code of an answer
PIN_REFUSED = "pin-refused"
PIN_LOCKED = "pin-locked"
PIN_FILE = "pin-file"
NO_KEY = "no-key"
OTHER_KEY = "other-key"
UNSAFE_KEY = "unsafe-key"
UNUSABLE = "unusable"

CURVES = {"secp256k1": bytes.fromhex("06052b8104000a"), "p256": bytes.fromhex("06082a8648ce3d030107")}
"""CKA_EC_PARAMS by the name of the curve: the object identifier in DER (SEC 2, RFC 5480)."""
_MARKS = "hutong"
"""CKA_APPLICATION of the data objects that say how far a key signed."""
_POINT_BYTES = 65


class Failed(Exception):
    """What a request is answered with. The reason has words of ours and the names of PKCS #11's errors, never a PIN."""

    def __init__(self, code: str, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(code, reason)


def read_pin(path: str) -> str:
    """The PIN of a file, one trailing line break dropped.

    Raises:
        Failed: it cannot be read, or is no PIN.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # little is imported here
            data = file.read(MAX_PIN_BYTES + 1)
        pin = data.decode().removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Failed(PIN_FILE, f"the PIN's file {path} cannot be read ({why})") from None
    if not pin or len(data) > MAX_PIN_BYTES or "\n" in pin:
        raise Failed(PIN_FILE, f"the PIN's file {path} does not hold one line of a PIN")
    return pin


class TokenSession:
    """One login to one token: found first, `login` afterwards. Everything here raises Failed, and errors of python-pkcs11."""

    def __init__(self, asked: dict[str, Any]) -> None:
        import pkcs11

        self._pkcs11 = pkcs11
        try:
            library = pkcs11.lib(asked["module"])
        except (pkcs11.exceptions.PKCS11Error, RuntimeError) as error:
            raise Failed(NO_LIBRARY, f"the library cannot be used: {_name(error)}") from None
        self._token = self._found_token(library, asked["label"], asked["serial"])
        # A token that cannot be reached fails or hangs here, before it is shown a PIN.
        self._session = self._token.open()
        self._writing: Any = None
        self._keys: dict[tuple[str, str, str], Any] = {}

    def _found_token(self, library: Any, label: str, serial: str | None) -> Any:
        tokens = [
            token
            for token in library.get_tokens(token_label=label)
            if serial is None or token.serial.decode("utf-8", "replace") == serial
        ]
        if not tokens:
            which = f"labelled {label!r}" if serial is None else f"labelled {label!r} with serial number {serial}"
            raise Failed(NO_TOKEN, f"no token {which} is in any slot")
        if len(tokens) > 1:
            serials = ", ".join(sorted(token.serial.decode("utf-8", "replace") for token in tokens)[:8])
            raise Failed(UNUSABLE, f"several tokens are labelled {label!r}: name one by token_serial ({serials})")
        return tokens[0]

    def login(self, asked: dict[str, Any]) -> None:
        """At most one attempt, and none that the token counts as its last; none at all after one without an answer that the
        token counts as wrong."""
        errors, flags, pin_file = self._pkcs11.exceptions, self._token.flags, asked["pin_file"]
        if flags & self._pkcs11.TokenFlag.USER_PIN_LOCKED:
            raise Failed(PIN_LOCKED, "the token is locked: its owner unlocks the PIN")
        if asked["after_unanswered"] and flags & self._pkcs11.TokenFlag.USER_PIN_COUNT_LOW:
            raise Failed(
                PIN_LOCKED,
                "the login before this one got no answer, and the token counts a wrong PIN: log in by the token's own tool",
            )
        if flags & self._pkcs11.TokenFlag.USER_PIN_FINAL_TRY:
            raise Failed(
                PIN_LOCKED,
                "one attempt is left before the token locks, and it is yours: log in by the token's own tool",
            )
        pin = read_pin(pin_file)
        try:
            self._session = self._token.open(user_pin=pin)
        except (errors.TokenNotPresent, errors.TokenNotRecognised, errors.DeviceRemoved) as error:
            raise Failed(NO_TOKEN, f"the token is not there any more ({_name(error)})") from None
        except (errors.PinIncorrect, errors.PinInvalid, errors.PinLenRange):
            raise Failed(PIN_REFUSED, f"the token refused the PIN of {pin_file}; it is not tried again") from None
        except (errors.PinLocked, errors.PinExpired) as error:
            raise Failed(PIN_LOCKED, f"the token accepts no PIN ({_name(error)}); it is not tried again") from None

    def sign(self, asked: dict[str, Any]) -> str:
        """r ‖ s over a digest of 32 bytes, in hex."""
        key = self._key(asked)
        signed = key.sign(bytes.fromhex(asked["digest"]), mechanism=self._pkcs11.Mechanism.ECDSA)
        return bytes(signed).hex()

    def find(self, asked: dict[str, Any]) -> str:
        """Look a key up anew, and say what holds it."""
        self._keys.clear()
        self._key(asked)
        return f"{self._token.model} of {self._token.manufacturer_id}, serial number {self._token.serial.decode('utf-8', 'replace')}"

    def _key(self, asked: dict[str, Any]) -> Any:
        wanted = (asked["key_id"], asked["curve"], asked["point"])
        found = self._keys.get(wanted)
        if found is None:
            found = self._keys[wanted] = self._looked_up(*wanted)
        return found

    def _looked_up(self, key_id: str, curve: str, point: str) -> Any:
        kinds, attribute = self._pkcs11.ObjectClass, self._pkcs11.Attribute
        private = [
            key
            for key in self._objects({attribute.CLASS: kinds.PRIVATE_KEY, attribute.ID: bytes.fromhex(key_id)})
            if self._value(key, attribute.EC_PARAMS) == CURVES[curve]
        ]
        if not private:
            raise Failed(NO_KEY, f"the token has no private key of {curve} with the id {key_id}")
        if len(private) > 1:
            raise Failed(UNUSABLE, f"the token has {len(private)} private keys of {curve} with the id {key_id}")
        self._check_safe(private[0], key_id)
        points = self._points(bytes.fromhex(key_id))
        if not points:
            raise Failed(OTHER_KEY, f"the token has no public key with the id {key_id}, to compare")
        if bytes.fromhex(point) not in points:
            raise Failed(OTHER_KEY, f"the key with the id {key_id} is another one")
        return private[0]

    def _check_safe(self, key: Any, key_id: str) -> None:
        reasons = self._unsafe(key)
        if reasons:
            raise Failed(
                UNSAFE_KEY, f"the key with the id {key_id} {', and '.join(reasons)}: make one that never leaves"
            )

    def _unsafe(self, key: Any) -> list[str]:
        attribute = self._pkcs11.Attribute
        rules = (
            (attribute.SENSITIVE, True, "is not SENSITIVE"),
            (attribute.EXTRACTABLE, False, "is EXTRACTABLE"),
            (attribute.NEVER_EXTRACTABLE, True, "is not NEVER_EXTRACTABLE"),
            (attribute.SIGN, True, "does not sign"),
        )
        found = [reason for name, must, reason in rules if self._value(key, name) is not must]
        if self._value(key, attribute.ALWAYS_AUTHENTICATE) is True:
            found.append("asks for the PIN at each signature, which is not supported")
        return found

    def _points(self, key_id: bytes) -> list[bytes]:
        kinds, attribute = self._pkcs11.ObjectClass, self._pkcs11.Attribute
        public = self._objects({attribute.CLASS: kinds.PUBLIC_KEY, attribute.ID: key_id})
        return [point for key in public if (point := _point_of(self._value(key, attribute.EC_POINT))) is not None]

    def _objects(self, template: dict[Any, Any], session: Any = None) -> list[Any]:
        # To its end: a search that is left open forbids everything else in the session.
        return list((session or self._session).get_objects(template))[:MAX_KEYS]

    def _value(self, thing: Any, name: Any) -> Any:
        """An attribute, None for one that the token does not give."""
        errors = self._pkcs11.exceptions
        with contextlib.suppress(errors.AttributeTypeInvalid, errors.AttributeSensitive):
            return thing[name]
        return None

    def listed(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """Every private key of a known curve: id, label, curve, point, and what keeps it from being used."""
        kinds, attribute = self._pkcs11.ObjectClass, self._pkcs11.Attribute
        rows = []
        for key in self._objects({attribute.CLASS: kinds.PRIVATE_KEY}):
            curve = next((name for name, oid in CURVES.items() if self._value(key, attribute.EC_PARAMS) == oid), None)
            key_id = self._value(key, attribute.ID) or b""
            if curve is None:
                continue
            points = self._points(key_id)
            reasons = self._unsafe(key) + ([] if len(points) == 1 else ["has no public key with its id, or several"])
            label = str(self._value(key, attribute.LABEL) or "")
            point = points[0].hex() if len(points) == 1 else None
            rows.append({"id": key_id.hex(), "label": label, "curve": curve, "point": point, "unusable": reasons})
        return rows

    def generate(self, asked: dict[str, Any]) -> str:
        """A new key that cannot leave the token; its point in hex."""
        attribute, key_id = self._pkcs11.Attribute, bytes.fromhex(asked["key_id"])
        if self._objects({attribute.ID: key_id}):
            raise Failed(UNUSABLE, f"the token has an object with the id {asked['key_id']} already")
        parameters = self._writable.create_domain_parameters(
            self._pkcs11.KeyType.EC, {attribute.EC_PARAMS: CURVES[asked["curve"]]}, local=True
        )
        safe = {attribute.SENSITIVE: True, attribute.EXTRACTABLE: False, attribute.PRIVATE: True, attribute.SIGN: True}
        public, private = parameters.generate_keypair(
            id=key_id, label=asked["label"], store=True, private_template=safe, public_template={attribute.VERIFY: True}
        )
        self._check_safe(private, asked["key_id"])
        point = _point_of(self._value(public, attribute.EC_POINT))
        if point is None:
            raise Failed(UNUSABLE, "the token does not say the public key that it made")
        return point.hex()

    @property
    def _writable(self) -> Any:
        """A session that may write; the login is of the process, and counts for it as well."""
        if self._writing is None:
            self._writing = self._token.open(rw=True)
        return self._writing

    def marks(self, asked: dict[str, Any]) -> list[str]:
        """The values of the marks of a name."""
        attribute = self._pkcs11.Attribute
        return [bytes(mark[attribute.VALUE]).decode("ascii", "replace") for mark in self._marks(asked["name"])]

    def mark(self, asked: dict[str, Any]) -> list[str]:
        """Put a mark, and say which are there now: whoever puts one at the same time sees it, or is seen."""
        attribute = self._pkcs11.Attribute
        if len(self._marks(asked["name"])) >= MAX_MARKS:
            raise Failed(UNUSABLE, f"the token has {MAX_MARKS} marks of {asked['name']}: remove what left them")
        template = {
            attribute.CLASS: self._pkcs11.ObjectClass.DATA,
            attribute.TOKEN: True,
            attribute.PRIVATE: True,
            attribute.MODIFIABLE: True,
            attribute.APPLICATION: _MARKS,
            attribute.LABEL: asked["name"],
            attribute.VALUE: asked["value"].encode("ascii"),
        }
        self._writable.create_object(template)
        return self.marks(asked)

    def unmark(self, asked: dict[str, Any]) -> None:
        """Remove the marks with these values."""
        attribute = self._pkcs11.Attribute
        for mark in self._marks(asked["name"]):
            if bytes(mark[attribute.VALUE]).decode("ascii", "replace") in asked["values"]:
                mark.destroy()

    def _marks(self, name: str) -> list[Any]:
        kinds, attribute = self._pkcs11.ObjectClass, self._pkcs11.Attribute
        template = {attribute.CLASS: kinds.DATA, attribute.APPLICATION: _MARKS, attribute.LABEL: name}
        return self._objects(template, self._writable)


def _point_of(value: Any) -> bytes | None:
    """65 bytes of an uncompressed point, from an OCTET STRING in DER, as the standard has it, or as some tokens give it."""
    if not isinstance(value, bytes):
        return None
    if len(value) == _POINT_BYTES + 2 and value[:2] == bytes([4, _POINT_BYTES]):
        value = value[2:]
    return value if len(value) == _POINT_BYTES and value[0] == 4 else None


def _name(error: BaseException) -> str:
    return f"{type(error).__name__} {str(error)[:200]}".rstrip()


def answers(requests: Iterator[bytes]) -> Iterator[bytes]:
    """One line of JSON for each line. The first request finds the token, the second logs in; after a failure of either there is no
    further one."""
    session: TokenSession | None = None
    for line in requests:
        asked = json.loads(line)
        said: dict[str, Any] = {"id": asked["id"]}
        try:
            if asked["do"] == "open":
                session, said["done"] = TokenSession(asked), None
            elif session is None:
                raise Failed(UNUSABLE, "nothing is open")
            elif asked["do"] in _DEEDS:
                said["done"] = getattr(session, asked["do"])(asked)
            else:
                raise Failed(UNUSABLE, "is not asked of a token")
        except Failed as error:
            said |= {"code": error.code, "reason": error.reason}
        except MemoryError:
            raise
        except Exception as error:  # of python-pkcs11, which has dozens; whatever it is, a new process begins anew
            said |= {"code": LOST, "reason": _name(error)}
        yield json.dumps(said).encode() + b"\n"


_DEEDS = frozenset({"login", "sign", "find", "listed", "generate", "marks", "mark", "unmark"})


def main() -> None:
    """Until standard input ends: whoever started this ends with it, also by force."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's, which is for whoever started this
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A library that prints must not answer, nor say anything of a PIN.
    said, nowhere = os.dup(1), os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    requests = iter(lambda: sys.stdin.buffer.readline(MAX_LINE_BYTES), b"")
    with os.fdopen(said, "wb", buffering=0) as out:
        for answer in answers(requests):
            out.write(answer)
    # Without the libraries' own ends, which some of them do not survive.
    os._exit(0)


if __name__ == "__main__":
    main()
