"""A list token as an answer of HTTP (Token Status List §8.1)."""

from fastapi import Request, Response

from hutong.light_clients.crypto import sha256
from hutong.relay.services.identity.status_host.list_tokens import MEDIA_TYPE
from hutong.relay.web.problems import ApiProblem, Code

_JWT_TYPES = (MEDIA_TYPE, "application/jwt", "application/*", "*/*")


def list_answer(request: Request, token: str | None, ttl_s: int) -> Response:
    """The token, for caches to keep as long as its ttl says; 304 where the client has it.

    The token is compressed inside already, so the answer is not compressed again: nobody inflates more than its bound.

    Raises:
        ApiProblem: there is no such list, it is asked for at another time (`time`, §8.4), or in another form.
    """
    if "time" in request.query_params:
        raise ApiProblem(Code.NOT_SUPPORTED, "lists of the past are not served; ask without time", status=501)
    accepted = request.headers.get("accept", "*/*")
    kinds = [one.partition(";")[0].strip().lower() for one in accepted.split(",")]
    if not set(kinds) & set(_JWT_TYPES):
        raise ApiProblem(Code.NOT_SUPPORTED, f"lists are served as {MEDIA_TYPE} alone", status=406)
    if token is None:
        raise ApiProblem(Code.NOT_FOUND, "there is no such list")
    tag = f'"{sha256(token.encode()).hex()[:32]}"'
    headers = {"cache-control": f"max-age={ttl_s}", "etag": tag, "access-control-allow-origin": "*"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(token, headers=headers, media_type=MEDIA_TYPE)
