"""The HTTP API as an OpenAPI 3.1 document.

What comes in: the table of operations. What goes out: the document, as JSON values. It must never
describe what is not served, nor leave out what is.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from flightframe_server import __version__
from flightframe_server.web.description.engine_schemas import SCHEMAS
from flightframe_server.web.description.operation import AddressKey, Operation
from flightframe_server.web.description.schemas import ref
from flightframe_server.web.reply import JSON

OPENAPI = "3.1.0"
ABOUT = (
    "Metrics asked over HTTP: a number is right or refused, and every answer says where it came"
    " from. What changes something needs the header `X-Flightframe: 1`."
)
CHANGING = {
    "name": "X-Flightframe",
    "in": "header",
    "required": True,
    "description": "shows that no other site's page sends it",
    "schema": {"type": "string", "enum": ["1"]},
}
_WORDS = {
    408: "the body did not come in time",
    499: "the client hung up, or the query was cancelled",
}


def openapi(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "flightframe",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        # Where the installation asks for no credentials, none are needed.
        "security": [{"basic": []}, {"bearer": []}, {}],
    }


def _described(operation: Operation) -> dict[str, Any]:
    parameters = [_parameter(key) for key in operation.keys]
    if operation.changes:
        parameters.append(CHANGING)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.about,
        "parameters": parameters,
        "responses": _responses(operation),
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": {JSON: {"schema": ref(operation.body)}},
        }
    if operation.public:
        described["security"] = []
    return described


def _parameter(key: AddressKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "in": "path" if key.in_path else "query",
        "required": key.in_path,
        "description": key.description,
        "schema": key.schema,
    }


def _responses(operation: Operation) -> dict[str, Any]:
    schema = {"schema": ref(operation.reply)} if operation.reply is not None else {}
    content = {operation.media_type: schema, **{media: {} for media in operation.others}}
    responses: dict[str, Any] = {
        str(operation.status): {"description": operation.summary, "content": content}
    }
    for status in operation.every_error:
        responses[str(status)] = {
            "description": _words(status),
            "content": {JSON: {"schema": ref("Error")}},
        }
    for status, words in operation.statuses.items():
        with_body = {"content": content} if status >= HTTPStatus.BAD_REQUEST else {}
        responses[str(status)] = {"description": words, **with_body}
    return dict(sorted(responses.items()))


def _words(status: int) -> str:
    return _WORDS.get(status) or HTTPStatus(status).phrase
