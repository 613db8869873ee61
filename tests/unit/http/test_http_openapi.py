"""What the OpenAPI document says is what the routes do."""

from __future__ import annotations

import re
from typing import Any

import httpx
import jsonschema
import pytest

from ditto.domain.events import Failure
from ditto.domain.request import Request, parse
from ditto.http import examples
from tests.fakes import FakeService, Held


@pytest.fixture
async def document(door: httpx.AsyncClient) -> dict[str, Any]:
    described: dict[str, Any] = (await door.get("/openapi.json")).json()
    return described


def check(document: dict[str, Any], path: str, method: str, status: int, body: Any) -> None:
    content = document["paths"][path][method]["responses"][str(status)]["content"]["application/json"]
    jsonschema.validate(body, {**content["schema"], "components": document["components"]})


def test_every_field_of_a_request_is_described() -> None:
    named = {(field.serialization_alias or name).rstrip("_") for name, field in Request.model_fields.items()}

    assert named == set(examples.FIELDS)


@pytest.mark.parametrize("name", ["ChatRequest", "ResponsesRequest"])
async def test_every_field_of_openais_requests_is_described(document: dict[str, Any], name: str) -> None:
    properties = document["components"]["schemas"][name]["properties"]

    assert [field for field, shape in properties.items() if "description" not in shape] == []
    assert all(
        "description" in shape for field, shape in properties["ditto"]["properties"].items() if field != "stream"
    )


async def test_every_reference_in_the_document_points_to_something(door: httpx.AsyncClient) -> None:
    text = (await door.get("/openapi.json")).text
    document = (await door.get("/openapi.json")).json()

    for name in re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', text):
        assert name in document["components"]["schemas"]
    assert "HTTPValidationError" not in text


async def test_every_operation_has_a_name_and_its_examples_fit_its_schemas(document: dict[str, Any]) -> None:
    names = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            names.append(operation["operationId"])
            for status, response in operation["responses"].items():
                shown = response.get("content", {}).get("application/json")
                if shown is not None:
                    check(document, path, method, int(status), shown["example"])

    assert len(names) == len(set(names)) == 19


async def test_the_documents_requests_are_requests(document: dict[str, Any]) -> None:
    body = document["paths"]["/llm"]["post"]["requestBody"]["content"]["application/json"]
    schema = {**body["schema"], "components": document["components"]}

    for example in body["examples"].values():
        jsonschema.validate(example["value"], schema)
        parse(example["value"])
    for wrong in ({}, {"prompt": " "}, {"prompt": "x", "messages": []}, {"prompt": "x", "nope": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


async def test_real_answers_fit_the_document(
    door: httpx.AsyncClient, service: FakeService, document: dict[str, Any]
) -> None:
    service.replies = {"sim/held": Held()}
    done = await door.post("/llm", json={"prompt": "Is it so?", "models": ["sim/a", "sim/b"]})
    begun = await door.post("/jobs", json={"prompt": "Is it so?", "models": ["sim/held"]})
    listed = await door.get("/jobs")
    wrong = await door.post("/llm", json={"prompt": 1})
    job, held = f"/jobs/{done.json()['jobId']}", f"/jobs/{begun.json()['jobId']}"
    good, refused, kept = await door.post(f"{job}/retry"), await door.post(f"{held}/retry"), await door.delete(held)
    forgotten = await door.delete(job)

    check(document, "/llm", "post", 200, done.json())
    check(document, "/jobs", "post", 202, begun.json())
    check(document, "/jobs", "get", 200, listed.json())
    check(document, "/llm", "post", 400, wrong.json())
    check(document, "/jobs/{job_id}/retry", "post", 200, good.json())
    check(document, "/jobs/{job_id}/retry", "post", 409, refused.json())
    check(document, "/jobs/{job_id}", "delete", 409, kept.json())
    assert "content" not in document["paths"]["/jobs/{job_id}"]["delete"]["responses"][str(forgotten.status_code)]


async def test_openais_routes_answer_as_the_document_says(
    door: httpx.AsyncClient, service: FakeService, document: dict[str, Any]
) -> None:
    chat, responses = "/v1/chat/completions", "/v1/responses"
    asked = {"model": "trio", "messages": [{"role": "user", "content": "Is it so?"}]}
    form = {"type": "json_schema", "name": "any", "schema": {"type": ["string", "object"]}}

    check(document, chat, "post", 200, (await door.post(chat, json=asked)).json())
    check(document, chat, "post", 400, (await door.post(chat, json={**asked, "n": 2})).json())
    check(document, chat, "post", 404, (await door.post(chat, json={**asked, "model": "x"})).json())
    for more in ({}, {"text": {"format": form}, "instructions": "Be brief.", "temperature": 1, "user": "u"}):
        answer = await door.post(responses, json={"model": "trio", "input": "Is it so?", **more})
        check(document, responses, "post", 200, answer.json())
    check(document, "/v1/models", "get", 200, (await door.get("/v1/models")).json())
    check(document, "/v1/models/{model}", "get", 200, (await door.get("/v1/models/sim/alpha")).json())
    check(document, "/v1/models/{model}", "get", 404, (await door.get("/v1/models/x")).json())
    service.replies = dict.fromkeys(("sim/alpha", "sim/beta", "sim/gamma"), Failure(type="Timeout", message="late"))
    check(document, chat, "post", 502, (await door.post(chat, json=asked)).json())


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
async def test_the_documents_requests_to_openais_routes_are_taken(
    door: httpx.AsyncClient, document: dict[str, Any], path: str
) -> None:
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    schema = {**body["schema"], "components": document["components"]}
    plain = body["examples"]["plain"]["value"]

    for shown in body["examples"].values():
        jsonschema.validate(shown["value"], schema)
        answer = await door.post(path, json={**shown["value"], "model": "trio"})
        assert answer.status_code == 200, answer.text
    for wrong in ({"tools": [{}]}, {"nope": 1}, {"store": True}, {"ditto": {"prompt": "x"}}, {"model": None}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**plain, **wrong}, schema)


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_page_asks_no_other_host(door: httpx.AsyncClient, path: str) -> None:
    response = await door.get(path)

    assert response.status_code == 200
    assert "innerHTML" not in response.text
    assert response.headers["content-type"].startswith("text/html")
    assert re.findall(r"https?://", response.text) == []
    assert "default-src 'none'" in response.headers["content-security-policy"]
