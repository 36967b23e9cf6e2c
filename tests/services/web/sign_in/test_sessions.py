"""Sessions and sign-ins under way: bounded in number and in time."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from services.web.sign_in import pending as pending_module
from services.web.sign_in.pending import LONGEST_SECONDS, PendingSignIns
from services.web.sign_in.sessions import SESSIONS_OF_ONE_PERSON, Sessions

IDLE, TOTAL = 100.0, 1000.0


@dataclass
class Clock:
    now: float = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def sessions(clock: Clock, most: int = 100) -> Sessions:
    return Sessions(most, IDLE, TOTAL, clock)


def test_a_session_is_found_by_its_number_alone(clock: Clock) -> None:
    kept = sessions(clock)
    number = kept.begin("ada", "Ada", "token")
    found = kept.find(number)
    assert found is not None
    assert (found.subject, found.name, found.id_token) == ("ada", "Ada", "token")
    assert len(number) == 43
    for other in ("", number[:-1], number + "A", "ada", found.csrf_token):
        assert kept.find(other) is None
    assert not {number, "token", found.csrf_token} & set(repr(found).split("'"))
    assert number not in repr(vars(kept)), "its hash alone is kept"


def test_it_ends_unused(clock: Clock) -> None:
    kept = sessions(clock)
    number = kept.begin("ada", "", "")
    for _ in range(3):
        clock.now += IDLE - 1
        assert kept.find(number) is not None
    clock.now += IDLE
    assert kept.find(number) is None


def test_it_ends_used_too(clock: Clock) -> None:
    kept = sessions(clock)
    number = kept.begin("ada", "", "")
    until = clock.now + TOTAL
    while clock.now < until - 50:
        clock.now += 50
        assert kept.find(number) is not None
    clock.now = until
    assert kept.find(number) is None
    assert len(kept) == 0


def test_the_longest_unused_makes_room(clock: Clock) -> None:
    kept = sessions(clock, most=2)
    first, second = kept.begin("a", "", ""), kept.begin("b", "", "")
    kept.find(first)
    third = kept.begin("c", "", "")
    assert [kept.find(each) is not None for each in (first, second, third)] == [True, False, True]


def test_one_person_does_not_push_others_out(clock: Clock) -> None:
    kept = sessions(clock, most=SESSIONS_OF_ONE_PERSON + 1)
    other = kept.begin("other", "", "")
    own = [kept.begin("ada", "", "") for _ in range(3 * SESSIONS_OF_ONE_PERSON)]
    assert kept.find(other) is not None
    assert [kept.find(each) is not None for each in own].count(True) == SESSIONS_OF_ONE_PERSON


def test_what_is_over_takes_no_room(clock: Clock) -> None:
    kept = sessions(clock)
    for number in range(50):
        kept.begin(f"person {number}", "", "")
    clock.now += IDLE
    kept.begin("ada", "", "")
    assert len(kept) == 1


def test_a_sign_in_is_taken_in_time(clock: Clock) -> None:
    pending = PendingSignIns(clock)
    late, soon = pending.begin("browser"), pending.begin("browser")
    clock.now += LONGEST_SECONDS - 1
    assert pending.take(soon.state, "browser") is soon
    clock.now += 1
    assert pending.take(late.state, "browser") is None


def test_a_sign_in_under_way_keeps_its_secrets_to_itself(clock: Clock) -> None:
    """A log or a traceback that shows one must not show what would finish it."""
    begun = PendingSignIns(clock).begin("the browser's number")
    secrets = (begun.state, begun.nonce, begun.code_verifier, begun.browser)
    assert [each for each in secrets if each in repr(begun)] == []


def test_sign_ins_under_way_are_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending_module, "MOST", 3)
    pending = PendingSignIns(clock)
    begun = [pending.begin("browser") for _ in range(5)]
    taken = [pending.take(each.state, "browser") is each for each in begun]
    assert taken == [False, False, True, True, True]
