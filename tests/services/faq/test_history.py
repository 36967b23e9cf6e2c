"""However often a model is added to, its manifest stays small and nothing is lost of the sums."""

from __future__ import annotations

from typing import Any

from services.faq.history import MOST_KEPT, added_texts, with_addition
from services.faq.model_card import added_lines


def addition(number: int) -> dict[str, Any]:
    return {
        "sha256": "0" * 64, "to_version": f"v{number}", "originals": 1, "duplicates": number,
        "left_out": {}, "at": f"2026-01-01T00:00:{number:05}+00:00",
    }  # fmt: skip


def after(additions: int) -> dict[str, Any]:
    details: dict[str, Any] = {"data": {}}
    for number in range(additions):
        details = with_addition(details, addition(number))
    return details


def test_the_additions_are_kept_in_order() -> None:
    details = after(3)
    assert details == {"data": {}, "added": [addition(number) for number in range(3)]}
    assert added_texts(details) == 3 + 0 + 1 + 2


def test_of_many_additions_the_last_are_kept_and_the_sums_of_the_others() -> None:
    details = after(MOST_KEPT + 3)
    assert [each["to_version"] for each in details["added"]] == [
        f"v{number}" for number in range(3, MOST_KEPT + 3)
    ]
    assert details["added_before"] == {
        "additions": 3, "originals": 3, "duplicates": 0 + 1 + 2, "until": addition(2)["at"],
    }  # fmt: skip
    assert added_texts(details) == sum(1 + number for number in range(MOST_KEPT + 3))


def test_the_card_sums_up_what_is_kept_no_longer() -> None:
    assert len(added_lines(after(2))) == 2
    first, *others = added_lines(after(MOST_KEPT + 3))
    assert first == f"- Until {addition(2)['at']}, 3 times: 3 originals, 3 duplicates."
    assert len(others) == MOST_KEPT


def test_nothing_added_is_no_line() -> None:
    assert added_lines({}) == []
    assert added_texts({}) == 0
