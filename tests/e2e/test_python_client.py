"""The Python client and its command line, through TLS and the gateway, to the images."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.conftest import Front
from tests.images.asking import EXAMPLES, KNOWN, QUESTION

PROGRAM = """
import json, os, sys
from client import ScoringClient

key = os.environ["SCORING_API_KEY"]
with ScoringClient(os.environ["SCORING_FAQ_URL"], key) as faq:
    matches = faq.match(sys.argv[1], top_k=2)
with ScoringClient(os.environ["SCORING_RESNET_URL"], key) as resnet:
    classes = resnet.classify(open(sys.argv[2], "rb").read())
print(json.dumps([matches.matches[0].title, len(matches.matches), classes.predictions[0].label]))
"""

RANKED = re.compile(r" *\d+\. \d\.\d{3} ")
"""A match in what the command line prints."""

ADDRESS = "127.0.0.9"
"""Not 127.0.0.1, in whose place Envoy puts its own address."""

FROM_AN_ADDRESS = """
import httpx, os, ssl, sys

transport = httpx.HTTPTransport(verify=ssl.create_default_context(), local_address=sys.argv[1])
headers = {"X-API-Key": os.environ["SCORING_API_KEY"], "X-Request-Id": sys.argv[2]}
with httpx.Client(transport=transport, headers=headers) as client:
    url = os.environ["SCORING_FAQ_URL"] + "/v1/match"
    print(client.post(url, json={"question": "x"}).status_code)
"""


def test_the_client_gets_both_services_answers(front: Front) -> None:
    done = front.run("-c", PROGRAM, QUESTION, EXAMPLES / "flower.jpg")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [KNOWN, 2, "daisy"]


def test_the_command_line_asks(front: Front) -> None:
    done = front.run("-m", "client", "ask", QUESTION)
    assert done.returncode == 0, done.stderr
    best, second = [line for line in done.stdout.splitlines() if RANKED.match(line)][:2]
    assert best.startswith(" 1. ")
    assert best.endswith(KNOWN)
    assert second.startswith(" 2. ")


@pytest.mark.parametrize(("picture", "label"), [("flower", "daisy"), ("china", "palace")])
def test_the_command_line_classifies(front: Front, picture: str, label: str) -> None:
    done = front.run("-m", "client", "classify", EXAMPLES / f"{picture}.jpg")
    assert done.returncode == 0, done.stderr
    file, best = done.stdout.splitlines()[:2]
    assert file.endswith(f"{picture}.jpg")
    assert best.startswith(" 1. ")
    assert best.endswith(label)


def test_a_stranger_is_one_line(front: Front) -> None:
    done = front.run("-m", "client", "ask", QUESTION, key="no-key-of-this-stack")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "401" in done.stderr or "key" in done.stderr


def test_a_certificate_that_nobody_vouches_for_is_refused(front: Front) -> None:
    """And no key is sent."""
    done = front.run("-m", "client", "ask", QUESTION, trust=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "certificate" in done.stderr.lower()


def test_who_asked_stands_in_the_containers_log(front: Front) -> None:
    """Through both hops: the client's address as the gateway saw it, and the request's number."""
    done = front.run("-c", FROM_AN_ADDRESS, ADDRESS, "end-to-end-0001")
    assert done.stdout.strip() == "200", done.stderr
    lines = front.containers["faq"].log().splitlines()
    (line,) = (json.loads(line) for line in lines if "end-to-end-0001" in line)
    assert (line["client"], line["key"]) == (ADDRESS, "tests")
