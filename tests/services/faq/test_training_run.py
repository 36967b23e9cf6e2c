"""What a trained model takes along for the service to be checked with."""

from __future__ import annotations

from dataclasses import replace

from services.faq.training_run import EXAMPLES, stored_model
from tests.services.faq.conftest import Small


def test_without_duplicates_the_questions_of_the_examples_are_the_originals(small: Small) -> None:
    """Those of a table have a title alone, and nothing asked would prove nothing."""
    originals = [
        replace(each, text=replace(each.text, prose="")) if number % 2 else each
        for number, each in enumerate(small.data.originals)
    ]
    data = replace(small.data, originals=originals, duplicates=[])
    asked = [each.text for each in stored_model(small.trained.scorer, data, "").examples]
    known = [f"{each.text.title} {each.text.prose}".strip() for each in originals]
    assert len(asked) == EXAMPLES
    assert all(asked)
    assert set(asked) <= set(known)
