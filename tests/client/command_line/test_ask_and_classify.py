"""The commands that ask one thing, as a user meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from client.api_key import VARIABLE
from tests.client.conftest import MATCHES

KEY = "rts_do-not-show-this-key"
JPEG = b"\xff\xd8\xff\xe0 a picture"


def test_a_question_gives_a_ranked_list(run, service):
    done = run("ask", "var or let?", "--url", service.url)
    assert done.returncode == 0
    first, url, second = done.stdout.splitlines()
    assert first.startswith(" 1. 0.875 █████████████████▌")
    assert first.endswith("What is the difference between var and let?")
    assert url.strip() == "https://example.org/questions/1001"
    assert second.startswith(" 2. 0.125 ██▌")
    assert done.stderr == ""


def test_the_first_answer_is_shown_as_plain_text(run, service):
    done = run("ask", "var or let?", "--answer", "--url", service.url)
    assert "          Use let & avoid var.\n" in done.stdout
    assert json.loads(service.received[0].body)["include_answers"] is True


ATTRIBUTIONS = {
    "attribution": {
        "kind": "original", "id": 1001, "url": "https://a.example/q/1001", "author": "Ann O'Nym",
        "author_url": "https://a.example/users/7", "licence": "CC BY-SA 4.0",
        "licence_url": "https://creativecommons.org/licenses/by-sa/4.0/", "created": "2020-01-02",
    },
    "answer_attribution": {"kind": "answer", "id": 2001, "url": "https://a.example/a/2001",
                           "licence": "CC BY-SA 3.0"},
}  # fmt: skip


def attributed(**fields: object) -> dict[str, object]:
    """What the service answers, with fields of the first match."""
    first, *others = MATCHES["matches"]
    return {**MATCHES, "matches": [{**first, **fields}, *others]}


def test_an_answer_is_shown_with_whose_it_is(run, service):
    service.behaviour = lambda exchange: exchange.answer(attributed(**ATTRIBUTIONS))
    lines = run("ask", "q", "--answer", "--url", service.url).stdout.splitlines()
    assert lines[4:7] == [
        "",
        "          Question by Ann O'Nym <https://a.example/users/7>, https://a.example/q/1001, "
        "CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>",
        "          Answer: https://a.example/a/2001, CC BY-SA 3.0",
    ]
    assert " 2. 0.125" in lines[7]


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({"author": "Ann"}, "Answer by Ann"),
        ({"author_url": "https://a.example/u"}, "Answer <https://a.example/u>"),
        ({"licence": "CC0-1.0"}, "Answer: CC0-1.0"),
        ({"created": "2020-01-02"}, None),
        ({}, None),
    ],
)
def test_of_whose_an_answer_is_what_is_known_is_shown(run, service, known, line):
    service.behaviour = lambda exchange: exchange.answer(attributed(answer_attribution=known))
    shown = run("ask", "q", "--answer", "--url", service.url).stdout
    assert [each.strip() for each in shown.splitlines() if each.startswith("          Answer")] == (
        [line] if line else []
    )


def test_whose_an_answer_is_goes_to_programs_too(run, service):
    service.behaviour = lambda exchange: exchange.answer(
        attributed(**ATTRIBUTIONS, source_id="KB-0042")
    )
    done = run("ask", "q", "--answer", "--json", "--url", service.url)
    first, second = json.loads(done.stdout)["matches"]
    assert first["attribution"]["author"] == "Ann O'Nym"
    assert first["answer_attribution"]["licence"] == "CC BY-SA 3.0"
    assert first["source_id"] == "KB-0042"
    assert (second["attribution"], second["answer_attribution"]) == (None, None)


def test_a_question_without_an_address_is_named_by_its_own_id(run, service):
    answer = attributed(url=None, source_id="KB-\x1b[2J0042")
    service.behaviour = lambda exchange: exchange.answer(answer)
    assert run("ask", "q", "--url", service.url).stdout.splitlines()[1].strip() == "KB-[2J0042"


@pytest.mark.parametrize("wrong", ["CC BY-SA", 7, [], {"author": 7}])
def test_an_attribution_that_is_none_is_no_answer(run, service, wrong):
    service.behaviour = lambda exchange: exchange.answer(attributed(attribution=wrong))
    done = run("ask", "q", "--answer", "--url", service.url)
    assert done.returncode == 1
    assert "the answer is not one of this API" in done.stderr


def test_a_weak_signal_is_no_match(run, service):
    weak = {"matches": [], "low_signal": True, "model": {"name": "faq", "version": "3"}}
    service.behaviour = lambda exchange: exchange.answer(weak)
    done = run("ask", "hello", "--url", service.url)
    assert (done.returncode, done.stdout) == (0, "no match\n")


def test_the_question_can_come_from_input(run, service):
    done = run("ask", "-", "--url", service.url, stdin="Wie geht's, «var»?\n".encode())
    assert done.returncode == 0
    assert json.loads(service.received[0].body) == {"question": "Wie geht's, «var»?"}


def test_json_is_for_programs(run, service):
    done = run("ask", "q", "--json", "--top-k", "2", "--url", service.url)
    document = json.loads(done.stdout)
    assert document["matches"][0]["score"] == 0.875
    assert document["model"] == {"name": "faq", "version": "3"}


def test_a_title_cannot_reprogram_the_terminal(run, service):
    match = {
        "question_id": 1, "answer_id": 2, "title": "\x1b]0;owned\x07 \x9b31m title\nline",
        "url": "https://a.example/\x1b[2J", "score": 0.5, "answer": "<p>\x1b[31mred</p>",
        "answer_attribution": {"author": "\x1b[31m\nroot:", "url": "https://a.example/\x9b2J"},
    }  # fmt: skip
    answer = {"matches": [match], "low_signal": False, "model": {"name": "a", "version": "1"}}
    service.behaviour = lambda exchange: exchange.answer(answer)
    done = run("ask", "q", "--answer", "--url", service.url)
    assert done.returncode == 0
    assert all(letter == "\n" or letter.isprintable() for letter in done.stdout)
    assert not any(line.startswith("root:") for line in done.stdout.splitlines())


def test_a_terminal_without_block_letters_gets_plain_ones(run, service):
    done = run("ask", "q", "--url", service.url, PYTHONIOENCODING="ascii")
    assert " 1. 0.875 ##################" in done.stdout


def test_the_address_comes_from_flag_then_environment(run, service, closed_url):
    assert run("ask", "q", SCORING_FAQ_URL=service.url).returncode == 0
    assert run("ask", "q", "--url", service.url, SCORING_FAQ_URL=closed_url).returncode == 0
    assert len(service.received) == 2


def test_the_key_comes_from_file_or_environment(run, service, tmp_path):
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    run("ask", "q", "--url", service.url, "--key-file", path)
    run("ask", "q", "--url", service.url, **{VARIABLE: KEY})
    assert [each.headers["x-api-key"] for each in service.received] == [KEY, KEY]


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask", "q", "--key", KEY),
        ("ask", "q", f"--key={KEY}"),
        ("ask", "--key", KEY, "q"),
        ("classify", "a.jpg", "--key", KEY),
        ("load", "--service", "faq", "--key", KEY),
        ("--key", KEY, "ask", "q"),
        (KEY, "q"),
        ("ask", "q", "--url", f"http://user:{KEY}@127.0.0.1:1"),
        ("ask", "q", "--key-file", "/does/not/exist"),
        ("ask", "q", "--url", "http://scoring.example.org"),
        ("ask", "q", "--url", "http://127.0.0.1:1", "--no-retry"),
        ("load", "--service", "faq", "--url", "http://127.0.0.1:1"),
        ("load", "--service", "faq", "--url", "https://scoring.example.org"),
    ],
)
def test_a_key_is_never_printed(run, arguments):
    done = run(*arguments, **{VARIABLE: KEY})
    assert done.returncode in (1, 2)
    assert KEY not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("behaviour", "line"),
    [
        (
            lambda e: e.problem(401, "A valid API key is needed."),
            "A valid API key is needed. (401)",
        ),
        (lambda e: e.problem(503, Retry_After="9"), "Not now.; try again in 9 s (503)"),
        (lambda e: e.problem(429, Retry_After="9"), "Not now.; try again in 9 s (429)"),
        (lambda e: e.cut(), "the connection was cut"),
        (lambda e: e.answer(b"{", 200), "the answer is not valid JSON"),
        (lambda e: e.answer(b"<p>", 200, "text/html"), "the answer is not JSON but text/html"),
        (lambda e: e.answer(b"<p>", 500, "text/html"), "Internal Server Error (500)"),
        (lambda e: time.sleep(2), "no answer within 0.5 s"),
    ],
    ids=["401", "503", "429", "cut", "garbage", "html", "500", "slow"],
)
def test_every_failure_is_one_line_and_status_1(run, service, behaviour, line):
    service.behaviour = behaviour
    done = run("ask", "q", "--url", service.url, "--timeout", "0.5", "--no-retry")
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("python -m client ask: ")
    assert done.stderr.rstrip("\n").endswith(line)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), ": the following arguments are required: COMMAND"),
        (("ask",), " ask: the following arguments are required: QUESTION"),
        (("ask", " "), " ask: the question is empty"),
        (("ask", b"\xff\xfe"), " ask: the question is not UTF-8 text"),
        (("ask", "q", "--top-k", "0"), " ask: argument --top-k: must be from 1 to 1000"),
        (("ask", "q", "--top-k", "many"), " ask: argument --top-k: not a whole number"),
        (("ask", "q", "--timeout", "nan"), " ask: argument --timeout: must be from 0.01 to 600"),
        (("ask", "q", "--wrong"), ": unknown: --wrong"),
        (("ask", "q", "--key", "k"), ": a key is never given by flag; use --key-file or "
         "SCORING_API_KEY"),
        (("ask", "q", "r"), ": too many arguments"),
        (("ask", "q", "--url", "http://"), " ask: argument --url: the address must begin with "
         "http:// or https:// and name a host"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_one_line_and_status_2(call, arguments, line):
    done = call(*[os.fsdecode(each) for each in arguments])
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"python -m client{line}\n"


@pytest.mark.parametrize("command", [(), ("ask",), ("classify",), ("load",)])
def test_help_tells_the_exit_status(call, command):
    done = call(*command, "--help")
    assert done.returncode == 0
    assert "exit status:" in done.stdout
    assert "130  interrupted" in done.stdout


def test_ctrl_c_is_one_line_and_status_130(service):
    asked = threading.Event()
    service.behaviour = lambda exchange: (asked.set(), time.sleep(20))
    process = subprocess.Popen(
        [sys.executable, "-m", "client", "ask", "q", "--url", service.url],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert asked.wait(30)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert error == "python -m client ask: interrupted\n"


def test_a_reader_that_leaves_early_is_no_trouble(service):
    process = subprocess.Popen(
        [sys.executable, "-m", "client", "ask", "q", "--json", "--url", service.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(10) == 1


def test_pictures_are_classified_one_after_another(run, service, tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(JPEG)
    done = run("classify", tmp_path / "a.jpg", tmp_path / "b.jpg", "--url", service.url)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [lines[0], lines[3]] == [str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")]
    assert lines[1].startswith(" 1. 0.750 ███████████████ ")
    assert lines[1].endswith("daisy")


def test_a_file_that_fails_does_not_stop_the_others(run, service, tmp_path):
    good, missing, empty, refused = (tmp_path / name for name in ("g.jpg", "m", "e", "r.jpg"))
    good.write_bytes(JPEG)
    empty.write_bytes(b"")
    refused.write_bytes(b"not a picture")
    service.behaviour = lambda exchange: (
        exchange.as_expected() if exchange.body == JPEG else exchange.problem(415, "No picture.")
    )
    done = run("classify", missing, tmp_path, empty, refused, good, "--url", service.url)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == str(good)
    assert done.stderr.splitlines() == [
        f"{missing}: No such file or directory",
        f"{tmp_path}: is a directory; name the files in it",
        f"{empty}: is empty",
        f"{refused}: No picture. (415)",
    ]


def test_a_picture_that_a_service_may_have_died_of_is_sent_once(run, service, tmp_path):
    deadly, good = tmp_path / "d.jpg", tmp_path / "g.jpg"
    deadly.write_bytes(JPEG + b" that kills")
    good.write_bytes(JPEG)
    service.behaviour = lambda exchange: (
        exchange.as_expected() if exchange.body == JPEG else exchange.cut()
    )
    done = run("classify", deadly, good, "--url", service.url)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == str(good)
    assert done.stderr == f"{deadly}: {service.url}: the connection was cut\n"
    assert [received.body for received in service.received] == [deadly.read_bytes(), JPEG]


def test_classes_as_json_are_one_document_a_line(run, service, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(JPEG)
    done = run("classify", path, path, "--json", "--url", service.url)
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["file"] for each in documents] == [str(path)] * 2
    assert documents[0]["predictions"][0]["label"] == "daisy"
