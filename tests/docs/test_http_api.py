"""docs/site/http_api.py: the API's page from an OpenAPI document."""

import pytest

from docs.site import http_api

END = {
    "type": "object",
    "description": "one end | of a path",
    "properties": {
        "chain": {"type": "string", "examples": ["alpha"], "description": "its configured name"},
        "note": {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]},
        "kind": {"enum": ["evm", "hub"]},
        "count": {"type": "integer", "minimum": 1, "default": 3},
    },
    "required": ["chain", "note", "kind"],
}
DOCUMENT = {
    "paths": {
        "/v1/ends/{chain}": {
            "get": {
                "tags": ["ends"],
                "description": "The ends of a chain.",
                "parameters": [
                    {
                        "name": "chain",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "examples": ["alpha"]},
                    },
                    {"name": "q", "in": "query", "required": True, "schema": {"type": "string", "examples": ["x"]}},
                    {
                        "name": "limit",
                        "in": "query",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
                    },
                ],
                "responses": {
                    "200": {
                        "description": "ok",
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/End"}}
                            }
                        },
                    },
                    "404": {"description": "none"},
                },
            },
            "post": {
                "tags": ["ends"],
                "summary": "Add",
                "parameters": [],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/End"}}}},
                "responses": {"202": {"description": "taken"}, "403": {"description": "a key is needed"}},
            },
        }
    },
    "components": {"schemas": {"End": END, "Unused": {"type": "string"}}},
}


def test_a_request_has_its_parameters_call_answer_and_refusals():
    text = http_api.page(DOCUMENT)
    assert "### GET /v1/ends/{chain}\n\nThe ends of a chain.\n" in text
    assert "| `limit` | query | integer (1 to 100) | `50` unless given |" in text
    assert f"curl -s '{http_api.BASE_URL}/v1/ends/alpha?q=x'" in text
    assert "200, `application/json`: list of [End](#end)" in text
    assert '"chain": "alpha",\n  "note": null,\n  "kind": "evm",\n  "count": 3' in text
    assert "Refused with 404:" in text


def test_a_write_is_shown_with_its_key_and_body():
    text = http_api.page(DOCUMENT)
    assert (
        """curl -s -X POST -H "Authorization: Bearer $HUTONG_API_KEY" -H 'content-type: application/json' -d @body.json"""
        in text
    )
    assert "Body, `application/json`: [End](#end)" in text
    assert "202: taken" in text


def test_values_are_those_that_are_used_with_bars_escaped():
    text = http_api.page(DOCUMENT)
    assert "### Unused" not in text
    assert "| `note` | text (at most 9 characters) or null |  |" in text
    assert "| `count` | integer (at least 1) | `3` unless given |" in text
    assert "one end | of a path" in text


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"const": "a"}, '`"a"`'),
        ({"allOf": [{"type": "boolean"}]}, "true or false"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 2}, "list of text (at most 2 items)"),
        ({"anyOf": [{"type": "string"}, {"type": "string"}, {"type": "null"}]}, "text or null"),
        ({}, "any"),
    ],
)
def test_types_in_words(schema, words):
    assert http_api.type_text(schema) == words


def test_a_schema_that_leads_to_itself_has_an_end():
    schemas = {
        "Tree": {
            "type": "object",
            "properties": {"below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
        }
    }
    assert str(http_api.example({"$ref": "#/components/schemas/Tree"}, schemas)).count("below") < 12


def test_the_page_is_what_the_api_says():
    assert http_api.PAGE.read_text() == http_api.page(http_api.api_document())
