"""An image for models with a sentence encoder serves one behind the same walls; others cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.image_making.build import ImageBuild, build_image
from infra.image_making.docker_client import DockerFailed
from infra.images import BuildSpec
from services.faq.app import load
from services.faq.corpus.build import build_files, write_files
from services.faq.corpus.topics import read_topics
from services.faq.data import read_data
from services.faq.embedding import Embedding
from services.faq.settings import FaqSettings
from services.faq.storage import KIND, save_model
from services.faq.training_run import stored_model, train_on
from services.serving.application import Service
from services.serving.model_folder import new_model_folder
from tests.images.asking import QUESTION, ask
from tests.images.containers import Containers, stack
from tests.images.fixtures import Images
from tests.services.faq.conftest import no_progress, write_tiny_encoder

TOPICS = 31


@pytest.fixture(scope="module")
def embedding_image(images: Images) -> str:
    """Built as docs/faq-model.md says."""
    arguments = {"BASE_IMAGE": images.base, "EMBEDDING": "true"}
    spec = BuildSpec("without-model", arguments)
    build = ImageBuild("faq", spec, "scoring-test-faq-embedding", network="host")
    return build_image(images.docker, build)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a tiny encoder of random weights: all but the meaning."""
    folder = tmp_path_factory.mktemp("embedding")
    write_files(build_files(read_topics()[:TOPICS]), folder)
    data = read_data(folder)
    embedding = Embedding(write_tiny_encoder(folder), no_progress)
    scorer = train_on(data, 0, embedding).scorer
    with new_model_folder(folder / "model", kind=KIND, name="tiny", version="1") as draft:
        save_model(stored_model(scorer, data, ""), draft.folder)
    return folder / "model"


def test_it_serves_a_model_with_an_encoder(
    containers: Containers, embedding_image: str, model: Path
) -> None:
    """With the answers that it gives in this process."""
    with containers.running("faq", stack(), image=embedding_image, model=model) as faq:
        answer = ask(faq)
    assert answer.status_code == 200
    settings = FaqSettings(model=model)
    service = Service(load(settings), settings)
    expected = service.flask.test_client().post("/v1/match", json={"question": QUESTION}).json
    service.batcher.close()
    for found, right in zip(answer.json()["matches"], expected["matches"], strict=True):
        assert found["question_id"] == right["question_id"]
        assert found["score"] == pytest.approx(right["score"], abs=1e-4)


def test_an_image_without_it_says_what_is_missing(images: Images, model: Path) -> None:
    options = ("--rm", "--network", "none", f"--volume={model}:/models/faq:ro")
    # Alone on loopback it needs no keys.
    alone = "--env=FAQ_HOST=127.0.0.1"
    with pytest.raises(DockerFailed, match="requirements-embedding"):
        images.docker.run("run", *options, alone, images.bare["faq"])
