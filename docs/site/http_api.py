"""docs/api.md: every request of the HTTP API with its parameters, an example and its values, from the API's own OpenAPI document.

    python -m docs.site.http_api            write docs/api.md
    python -m docs.site.http_api --check    exit 1 unless the committed page is what the API says

Examples come from the document's own; where it has none, a value of the type stands for one.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.site.reading import anchor

PAGE = Path(__file__).resolve().parent.parent / "api.md"
BASE_URL = "http://127.0.0.1:9480"
METHODS = ("get", "post", "put", "patch", "delete")
TITLES = {"messages": "Messages", "chains": "Chains", "routes": "Routes", "tokens": "Tokens", "sending": "Sending"}
MAX_EXAMPLE_DEPTH = 10
HEAD = """# HTTP API

Every request, from the API's own OpenAPI document (`/openapi.json` of a running API). Written by `python -m docs.site.http_api`; CI checks it.
What is promised, conventions, states, events and bounds: [the format](spec/api.md). How a dapp uses it: [dapp guide](dapp-guide.md).

Examples are made of the document's example values: they show the form, not one message's story. The address is that of `[api] listen`; of a
[demo](demo.md) it is `api` in `network.json`. One transfer from the first request to the last, with curl: [examples](examples/README.md#over-http-with-any-wallet).
A WebSocket is not in an OpenAPI document: [`/v1/ws`](spec/api.md#events).
"""

NOBODYS_CONFIG = {
    "relay": {"home": "nowhere"},
    "chains": [
        {
            "name": "hub",
            "kind": "hub",
            "chain_id": "hutong-1",
            "rpc": ["http://127.0.0.1:1"],
            "consensus_rpc": ["http://127.0.0.1:1"],
            "key": {"keystore": "none", "password_env": "NONE"},
        }
    ],
    "api": {"listen": "127.0.0.1:9480"},
}
"""Of an API that nobody asks anything but its document: no chain, ledger or key is ever opened."""
NO_BACKEND: Any = None

Json = dict[str, Any]


def cell(text: str) -> str:
    """Text for one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def type_text(schema: Json) -> str:
    """A schema in words, with links to the values that it names."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{anchor(name)})"
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(dict.fromkeys(type_text(choice) for choice in schema.get("anyOf") or schema["oneOf"]))
    if "allOf" in schema and len(schema["allOf"]) == 1:
        return type_text(schema["allOf"][0])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {type_text(schema.get('items', {}))}{bounds(schema, 'minItems', 'maxItems', ' items')}"
    words = {"string": "text", "object": "object", "boolean": "true or false", "null": "null", "integer": "integer"}
    found = words.get(kind, kind)
    if kind == "string":
        return found + bounds(schema, "minLength", "maxLength", " characters")
    if kind in ("integer", "number"):
        return found + bounds(schema, "minimum", "maximum", "")
    return found


def bounds(schema: Json, least: str, most: str, unit: str) -> str:
    """` (1 to 100)`, or nothing where the schema has no bounds."""
    low, high = schema.get(least), schema.get(most)
    if low is None and high is None:
        return ""
    if high is None:
        return f" (at least {low}{unit})"
    return f" ({low} to {high}{unit})" if low is not None else f" (at most {high}{unit})"


def example(schema: Json, schemas: Json, depth: int = 0) -> Any:
    """A value of the schema, of its own examples as far as it has them."""
    if "example" in schema:
        return schema["example"]
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas, depth)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return None if shows_nothing(schema[key]) else example(schema[key][0], schemas, depth)
    if "default" in schema:
        return schema["default"]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "array":
        return [example(schema.get("items", {}), schemas, depth + 1)] if depth < MAX_EXAMPLE_DEPTH else []
    if kind == "object":
        if depth >= MAX_EXAMPLE_DEPTH:
            return {}
        return {name: example(part, schemas, depth + 1) for name, part in schema.get("properties", {}).items()}
    return {"string": "…", "integer": schema.get("minimum", 0), "number": 0, "boolean": False}.get(str(kind))


def shows_nothing(choices: list[Json]) -> bool:
    """Whether null says as much as any: it is allowed, and the other choice has no value to show."""
    first, *others = choices
    return {"type": "null"} in others and not {"$ref", "example", "examples", "default", "enum"} & first.keys()


def parameter_rows(operation: Json) -> Iterator[str]:
    """The table of an operation's parameters, if it has any."""
    parameters = operation.get("parameters", [])
    if not parameters:
        return
    yield "| parameter | in | type | |"
    yield "| --- | --- | --- | --- |"
    for parameter in parameters:
        schema = parameter["schema"]
        said = [parameter.get("description") or schema.get("description", "")]
        if parameter.get("required") and parameter["in"] != "path":
            said.append("required")
        if schema.get("default") is not None:
            said.append(f"`{schema['default']}` unless given")
        kind = type_text(schema).replace(" or null", "")
        yield f"| `{parameter['name']}` | {parameter['in']} | {kind} | {cell('; '.join(filter(None, said)))} |"
    yield ""


def body_rows(operation: Json, schemas: Json) -> Iterator[str]:
    """What is sent with it, if anything."""
    for content_type, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body, `{content_type}`: {type_text(body['schema'])}"
        yield ""
        yield from block("json", json.dumps(example(body["schema"], schemas), indent=1, ensure_ascii=False))


def block(language: str, text: str) -> Iterator[str]:
    """A fenced block."""
    yield f"```{language}"
    yield from text.split("\n")
    yield "```"
    yield ""


def call(path: str, method: str, operation: Json, schemas: Json) -> str:
    """The request as a shell command, with the required parameters."""
    query = []
    for parameter in operation.get("parameters", []):
        value = str(
            example({**parameter["schema"], **{k: parameter[k] for k in ("example",) if k in parameter}}, schemas)
        )
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", value)
        elif parameter["in"] == "query" and parameter.get("required"):
            query.append(f"{parameter['name']}={value}")
    url = f"{BASE_URL}{path}" + ("?" + "&".join(query) if query else "")
    words = ["curl -sN" if is_stream(operation) else "curl -s"] + ([f"-X {method.upper()}"] if method != "get" else [])
    if "403" in operation["responses"]:
        words.append('-H "Authorization: Bearer $HUTONG_API_KEY"')
    words += [
        f'-H "Idempotency-Key: {example(parameter["schema"], schemas)}"'
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "idempotency-key"
    ]
    if "requestBody" in operation:
        words.append("-H 'content-type: application/json' -d @body.json")
    return " ".join([*words, f"'{url}'"])


def is_stream(operation: Json) -> bool:
    """Whether it answers with events, for as long as they are read."""
    return "text/event-stream" in operation["responses"].get("200", {}).get("content", {})


def answer_rows(operation: Json, schemas: Json, shown: set[str]) -> Iterator[str]:
    """What comes back: the success with an example, once for each kind of answer, and the refusals in one line."""
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            continue
        if is_stream(operation):
            yield f"{status}, `text/event-stream`: {answer['description']}. Form and cursors: [events](spec/api.md#events)"
            yield ""
            continue
        for content_type, body in answer.get("content", {}).items():
            schema = body.get("schema") or {}
            yield f"{status}, `{content_type}`" + (f": {type_text(schema)}" if schema else "")
            yield ""
            value = example(schema, schemas)
            if content_type == "application/json" and value and type_text(schema) not in shown:
                shown.add(type_text(schema))
                yield from block("json", json.dumps(value, indent=1, ensure_ascii=False))
        if not answer.get("content"):
            yield f"{status}: {answer['description']}"
            yield ""
    refusals = [status for status in operation["responses"] if not status.startswith("2")]
    if refusals:
        yield f"Refused with {', '.join(refusals)}: [codes](spec/api.md#conventions)"
        yield ""


def operation_lines(path: str, method: str, operation: Json, schemas: Json, shown: set[str]) -> Iterator[str]:
    """One request."""
    yield f"### {method.upper()} {path}"
    yield ""
    if said := operation.get("description", operation.get("summary", "")):
        yield cell(said).replace("\\|", "|")
        yield ""
    yield from parameter_rows(operation)
    yield from block("text", call(path, method, operation, schemas))
    yield from body_rows(operation, schemas)
    yield from answer_rows(operation, schemas, shown)


def value_lines(name: str, schema: Json) -> Iterator[str]:
    """One named value."""
    yield f"### {name}"
    yield ""
    if said := schema.get("description", ""):
        yield cell(said).replace("\\|", "|")
        yield ""
    properties = schema.get("properties")
    if properties is None:
        yield type_text({key: value for key, value in schema.items() if key != "description"})
        yield ""
        return
    required = set(schema.get("required", ()))
    yield "| field | type | |"
    yield "| --- | --- | --- |"
    for field, part in properties.items():
        said = part.get("description") or next(
            (choice["description"] for choice in part.get("anyOf", ()) if "description" in choice), ""
        )
        optional = "" if field in required else "may be left out"
        if field not in required and part.get("default") is not None:
            optional = f"`{json.dumps(part['default'])}` unless given"
        yield f"| `{field}` | {type_text(part)} | {cell('; '.join(filter(None, (said, optional))))} |"
    yield ""


def used_values(document: Json) -> list[str]:
    """Names of the schemas that requests and answers lead to, in alphabetical order."""
    schemas = document["components"]["schemas"]
    found: set[str] = set()
    waiting = [document["paths"]]
    while waiting:
        for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(waiting.pop())):
            if name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return sorted(found)


def page(document: Json) -> str:
    """The page's text."""
    schemas = document["components"]["schemas"]
    groups: dict[str, list[tuple[str, str, Json]]] = {}
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                tag = (operations[method].get("tags") or ["other"])[0]
                groups.setdefault(tag, []).append((path, method, operations[method]))
    lines = [*HEAD.split("\n")]
    shown: set[str] = set()
    for tag, members in groups.items():
        lines += [f"## {TITLES.get(tag, tag.capitalize())}", ""]
        for path, method, operation in members:
            lines += operation_lines(path, method, operation, schemas, shown)
    lines += ["## Values", ""]
    for name in used_values(document):
        lines += value_lines(name, schemas[name])
    return "\n".join(lines).rstrip() + "\n"


def api_document() -> Json:
    """The OpenAPI document that the API of this checkout serves."""
    import trio
    from httpx import ASGITransport, AsyncClient

    from hutong.relay.api.service import Service
    from hutong.relay.api.serving.app import create_app
    from hutong.relay.config import Config

    config = Config.model_validate(NOBODYS_CONFIG)
    assert config.api is not None
    service = Service.of(config, config.api, NO_BACKEND, inside_relay=False)

    async def ask() -> Json:
        async with AsyncClient(transport=ASGITransport(create_app(service)), base_url=BASE_URL) as client:
            answer = await client.get("/openapi.json")
        answer.raise_for_status()
        document: Json = answer.json()
        return document

    try:
        return trio.run(ask)
    finally:
        service.close()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m docs.site.http_api", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    wanted = page(api_document())
    if not arguments.check:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") != wanted:
        sys.stdout.write("docs/api.md is not what the API says: run `python -m docs.site.http_api`\n")
        return 1
    sys.stdout.write("docs/api.md is what the API says\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
