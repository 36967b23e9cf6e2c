"""A data set so small that it can be trained on again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.faq.corpus.build import build_files, write_files
from services.faq.corpus.topics import read_topics
from services.faq.data import DataSet, read_data
from services.faq.evaluation.questions import HeldOut, held_out
from services.faq.ranking import Scorer
from services.faq.split import split_data
from services.faq.training_run import train_on


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> HeldOut:
    """Ten originals: training on them takes a moment."""
    folder: Path = tmp_path_factory.mktemp("tiny")
    write_files(build_files(read_topics()[:10]), folder)
    data = read_data(folder)
    return held_out(data, split_data(data, 0.3, 0), 0)


def trainer(data: DataSet) -> Scorer:
    return train_on(data, 0).scorer
