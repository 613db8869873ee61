"""What the hostile requests' judge takes for wrong: a header that a client made up, and not its words in a list."""

from __future__ import annotations

import pytest

from tests.hostile.attacks import Attack
from tests.hostile.clients import Heard
from tests.hostile.judging import complaints

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def heard(answer: bytes, sent: bytes = b"GET /jobs HTTP/1.1\r\n\r\n") -> Heard:
    return Heard(attack=Attack(kind="paths", pieces=(sent,)), answer=answer, hung=False)


def test_a_list_may_hold_what_another_client_has_asked():
    answer = HEAD + b'\r\n{"jobs":[{"result":"%0d%0ax-injected:1","metadata":{"a":"\\r\\nx-injected: 1"}}]}'

    assert complaints(heard(answer), ()) == []


@pytest.mark.parametrize("sent", [b"GET /jobs/%0d%0ax-injected:1 HTTP/1.1\r\n\r\n", b"GET /jobs HTTP/1.1\r\n\r\n"])
def test_a_header_that_a_client_made_up_is_wrong_whoever_made_it_up(sent):
    answer = HEAD + b"X-Injected: 1\r\n\r\n{}"

    assert complaints(heard(answer, sent), ()) == ["has a header that the client made up"]


def test_an_answer_of_500_is_shown():
    (wrong,) = complaints(heard(b'HTTP/1.1 500 Internal Server Error\r\n\r\n{"error":"logged under 5f0c"}'), ())

    assert wrong.startswith("answered 500")
    assert "logged under 5f0c" in wrong
