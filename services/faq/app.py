"""The FAQ model behind HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Final

from services.faq.analysis import terms_of_all_posted
from services.faq.api import MatchRequest, MatchResponse, ScoreRequest, ScoreResponse
from services.faq.ranking import Ranking
from services.faq.retrieval import CANDIDATES
from services.faq.settings import FaqSettings
from services.faq.storage import KIND, StoredModel, load_model
from services.faq.stored_originals import REMEMBERED, StoredOriginal
from services.faq.tensors import faq_tensors
from services.serving.model import (
    Call,
    Model,
    ModelInfo,
    ModelRejected,
    Operation,
    Timing,
    json_operation,
)
from services.serving.model_folder import (
    MANIFEST,
    Manifest,
    ModelFolderError,
    file_sha256,
    read_model_folder,
)
from services.serving.protocols.signature import TensorInterface

BACKEND: Final = "numpy"
EXAMPLE_TOLERANCE: Final = 1e-4
"""Largest difference of a score from the one that the machine which trained the model had."""

_EXAMPLE: Final = "How can I remove the duplicate values from an array?"


def load(settings: FaqSettings) -> FaqModel:
    """Read and verify the model folder.

    Raises:
        ModelFolderError: a file is missing, was changed or does not fit this version, or the folder
            was exchanged for another one meanwhile.
    """
    manifest = read_model_folder(settings.model, kind=KIND)
    stored = load_model(settings.model)
    # What is mapped is what was verified, unless another folder took its place in between.
    if file_sha256(settings.model / MANIFEST) != manifest.sha256:
        raise ModelFolderError(settings.model, "was exchanged while it was read; try again")
    return FaqModel(stored, manifest)


class FaqModel(Model[str, Ranking]):
    """Ranks the known questions for each posted one."""

    scope: ClassVar[str] = "faq"

    def __init__(self, stored: StoredModel, manifest: Manifest) -> None:
        self._scorer = stored.scorer
        self._originals = stored.originals
        self._original = original = lru_cache(REMEMBERED)(stored.originals.__getitem__)
        # Not a method of its own: a model that refers to itself outlives the last who asked it.
        self._known = lru_cache(REMEMBERED)(lambda number: _named(original(number)))
        self._examples = stored.examples
        # A sentence encoder takes longer, and computes without the interpreter's lock.
        self.scores_briefly = stored.scorer.encoder is None
        self.info = ModelInfo(manifest.name, manifest.version, manifest.sha256, BACKEND)

    def predict(self, items: Sequence[str]) -> Sequence[Ranking]:
        """Rank the originals for each question.

        The texts are cut into terms here, since a question whose time is over is not cut at all.
        """
        return self._scorer.rank(terms_of_all_posted(items))

    def warm_up(self) -> None:
        """Rank the examples of the model folder, one by one and together, and compare.

        Raises:
            ModelRejected: a score is not what it was when the model was trained.
        """
        texts = [example.text for example in self._examples]
        alone = [self.predict([text])[0] for text in texts]
        for rankings in (alone, self.predict(texts)):
            for number, (example, ranking) in enumerate(
                zip(self._examples, rankings, strict=True), 1
            ):
                if not self._agrees(ranking, example.first):
                    raise ModelRejected(f"example {number} is not ranked as it was in training")

    def operations(self) -> Sequence[Operation[Any, Any]]:
        """`POST /v1/match`, and `POST /score` as the predecessor had it."""
        return (
            json_operation(
                path="/v1/match",
                operation_id="match",
                summary="Find known questions that ask the same",
                description="Ranks the known questions by the probability that the posted one asks "
                "the same, and returns the best.",
                request=MatchRequest,
                response=MatchResponse,
                prepare=self._match,
                examples={"question": {"question": _EXAMPLE, "top_k": 3}},
            ),
            json_operation(
                path="/score",
                operation_id="score",
                summary="Score the known questions",
                description="The predecessor's interface: the known questions with their "
                f"probabilities, the best first; of more than {CANDIDATES}, those that the question "
                "was compared with. Any other has a probability of 0.",
                request=ScoreRequest,
                response=ScoreResponse,
                prepare=self._score,
                examples={"question": {"input": _EXAMPLE}},
            ),
        )

    def tensors(self) -> TensorInterface[str, Ranking]:
        """A batch of texts in; ids, titles and scores of the best known questions out."""
        return faq_tensors(self._originals, self._shown, _EXAMPLE)

    def _match(self, request: MatchRequest) -> Call[str, Ranking]:
        def render(rankings: Sequence[Ranking], _: Timing) -> object:
            ranking = rankings[0]
            shown = self._with_answer if request.include_answers else self._shown
            best = ranking.positions[: request.top_k].tolist()
            scores = ranking.scores[: request.top_k].tolist()
            return {
                "matches": [
                    shown(number, score)
                    for number, score in zip(best, scores, strict=True)
                    if score >= request.min_score
                ],
                "low_signal": ranking.low_signal,
                "model": {"name": self.info.name, "version": self.info.version},
            }

        return Call([request.question], render)

    def _score(self, request: ScoreRequest) -> Call[str, Ranking]:
        def render(rankings: Sequence[Ranking], timing: Timing) -> object:
            ranking = rankings[0]
            ranked = zip(ranking.positions.tolist(), ranking.scores.tolist(), strict=True)
            ids, answer_ids = self._originals.ids, self._originals.answer_ids
            rows = [(int(ids[number]), int(answer_ids[number]), score) for number, score in ranked]
            return {"result": [rows, f"Computed in {timing.elapsed_ms:.2f} ms"]}

        return Call([request.input], render)

    def _shown(self, number: int, score: float) -> dict[str, object]:
        return {**self._known(number), "score": score}

    def _with_answer(self, number: int, score: float) -> dict[str, object]:
        original = self._original(number)
        return {
            **self._shown(number, score),
            "text": original.html,
            "answer": original.answer_html,
            **original.model_dump(include={"attribution", "answer_attribution"}, exclude_none=True),
        }

    def _agrees(self, ranking: Ranking, first: Sequence[tuple[int, float]]) -> bool:
        ids = self._originals.ids[ranking.positions].tolist()
        score_of = dict(zip(ids, ranking.scores.tolist(), strict=True))
        return all(abs(score_of.get(each, 0) - score) <= EXAMPLE_TOLERANCE for each, score in first)


def _named(original: StoredOriginal) -> Mapping[str, object]:
    """What every answer shows of a known question."""
    named: dict[str, object] = {
        "question_id": original.id,
        "answer_id": original.answer_id,
        "title": original.title,
        "url": original.url,
    }
    return named if original.source_id is None else named | {"source_id": original.source_id}
