"""The settings of each command: every one is a flag and an environment variable."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.faq.embedding_kind import EmbeddingKind
from services.faq.split_kind import SplitKind
from services.serving.settings import ServiceSettings

PUBLIC_DATA: Final = "https://bostondata.blob.core.windows.net/stackoverflow/"
"""Where the reference architecture's data is: Stack Overflow questions tagged javascript."""

_EVALUATED_HOLDOUT: Final = 0.2


class DataSettings(BaseSettings):
    """Which data."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="FAQ_")

    data: str = Field(
        PUBLIC_DATA,
        min_length=1,
        description="folder, or http(s) address, of orig-q.tsv.gz, dup-q.tsv.gz and ans.tsv.gz",
    )
    downloads: Path = Field(
        Path("data/stackoverflow"), description="where files from an address are kept"
    )
    sha256: tuple[str, ...] = Field(
        (), description="expected SHA-256 of the three files: originals, duplicates, answers"
    )

    @field_validator("sha256")
    @classmethod
    def three_hashes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is not three hashes."""
        is_hash = [
            len(each) == 64 and set(each.lower()) <= set("0123456789abcdef") for each in value
        ]
        if value and (len(value) != 3 or not all(is_hash)):
            raise ValueError("three hashes of 64 hexadecimal digits are needed")
        return value


class SplitSettings(DataSettings):
    """Which questions a model is trained on, and which are held out to evaluate it."""

    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of everything that is random")
    holdout: float = Field(
        0.2, ge=0, lt=1,
        description="share of the duplicates that is held out to evaluate the model; with 0, a model "
        "that holds out a fifth must pass the gate, and another is then trained on everything",
    )  # fmt: skip
    split: SplitKind = Field(
        SplitKind.AUTO,
        description="what is held out: the data's own test part (own), the latest questions (time), "
        "a share of each original's duplicates (stratified), or the first of these that the data "
        "allows (auto)",
    )
    min_text: int = Field(
        0, ge=0, description="leave out questions with fewer characters of title and prose"
    )
    min_duplicates: int = Field(1, ge=0, description="leave out originals with fewer duplicates")
    borrow: bool = Field(
        False,
        description="for an FAQ with no known duplicates, or hardly any: keep every original, and learn "
        "from the repository's own corpus what similarities say; with no duplicate the model cannot be "
        "evaluated, and is written with force and a reason only",
    )
    embedding: EmbeddingKind = Field(
        EmbeddingKind.NONE,
        description="sentence embedding to train with: none, or minilm, which answers better, takes "
        "longer and more memory, and needs its packages (docs/faq-model.md)",
    )

    @property
    def evaluated_holdout(self) -> float:
        """Share that is held out of the model that is evaluated; never 0."""
        return self.holdout or _EVALUATED_HOLDOUT

    @property
    def kept_duplicates(self) -> int:
        """How many duplicates an original must have to be kept: none, where the second stage is borrowed."""
        return 0 if self.borrow else self.min_duplicates


class TrainSettings(SplitSettings):
    """How a model is trained."""

    model: Path = Field(description="model folder to write")
    name: str = Field(
        "faq", pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", description="name of the model"
    )
    version: str = Field(
        "",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,62})?$",
        description="version of the model; made from the data and the settings if left out",
    )
    min_accuracy: float = Field(
        0.3, ge=0, le=1, description="write no model with an accuracy@1 below this"
    )
    max_calibration_error: float = Field(
        0.1, ge=0, le=1,
        description="write no model with a calibration error above this, unless chance may make it",
    )  # fmt: skip
    golden: Path | None = Field(
        None,
        description="write no model that answers one of these questions differently: a JSON object a "
        "line, with question, original (its id) and within (how many first places); golden.jsonl "
        "beside the data if left out",
    )
    predecessor_trees: int = Field(
        200, ge=1, le=100_000,
        description="trees of the predecessor's pipeline, which is a baseline of the quality gate; it "
        "had 8,000, which take minutes",
    )  # fmt: skip
    force: bool = Field(False, description="write the model even so; needs a reason")
    reason: str = Field(
        "", max_length=500, description="why the gate is overruled; kept in the manifest"
    )
    url_template: str = Field(
        "",
        max_length=500,
        description="address of an original, such as https://stackoverflow.com/q/{id}; "
        "none if left out",
    )

    @model_validator(mode="after")
    def forced_for_a_reason(self) -> TrainSettings:
        """Refuse to overrule the gate without a reason."""
        if self.force and not self.reason.strip():
            raise ValueError("overruling the quality gate (force) needs a reason (reason)")
        return self

    @model_validator(mode="after")
    def usable_template(self) -> TrainSettings:
        """Refuse a template that is not an address, or that is the same for every original."""
        template = self.url_template
        if template and not template.startswith(("http://", "https://")):
            raise ValueError("the URL template (url_template) must begin with http:// or https://")
        if template and template.count("{id}") != 1:
            raise ValueError("the URL template (url_template) must contain {id} once")
        return self


class AddSettings(DataSettings):
    """How questions are added to a model."""

    model: Path = Field(description="model folder to add to; the new one takes its place at once")
    data: str = Field(
        min_length=1,
        description="folder, or http(s) address, of orig-q.tsv.gz, dup-q.tsv.gz and ans.tsv.gz; "
        "what the model knows already is left out",
    )
    golden: Path | None = Field(
        None,
        description="add nothing if one of these questions would be answered differently, as of "
        "train; golden.jsonl beside the data if left out",
    )
    version: str = Field(
        "",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,62})?$",
        description="version of the new model; made from the old one and the data if left out",
    )


with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message='Field name "json"')

    class EvaluateSettings(SplitSettings):
        """How a model is evaluated. A model folder brings its own seed, split and filters."""

        model: Path | None = Field(
            None,
            description="model folder, with the seed, split and filters that it was trained with; if "
            "left out, a model is trained for the evaluation",
        )
        retrain: bool = Field(
            True,
            description="also train with most duplicates withheld, and without some originals, which "
            "takes seven more trainings",
        )
        predecessor_trees: int = Field(
            8_000, ge=1, le=100_000,
            description="trees of the predecessor's pipeline; it had 8,000, which take minutes",
        )  # fmt: skip
        most_questions: int = Field(
            5_000, ge=1, description="most held-out questions that are asked; of more, a sample"
        )
        report: Path | None = Field(
            None, description="folder to write report.html and report.json to"
        )
        json: bool = Field(False, description="print JSON instead of a table")  # pyright: ignore[reportIncompatibleMethodOverride]


class CorpusSettings(BaseSettings):
    """What is done with the repository's own corpus."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="FAQ_CORPUS_")

    check: bool = Field(False, description="fail if the files do not say what the sources say")
    write: bool = Field(False, description="write the files from the sources")

    @model_validator(mode="after")
    def one_of_both(self) -> CorpusSettings:
        """Refuse neither and both."""
        if self.check == self.write:
            raise ValueError("give either --check or --write")
        return self


class FaqSettings(ServiceSettings):
    """How the service runs."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="FAQ_")

    port: int = Field(8081, ge=1, le=65535, description="port of the API")
    metrics_port: int = Field(
        9081, ge=0, le=65535, description="port of GET /metrics on the same address; 0 for none"
    )
    max_batch: int = Field(
        64, ge=1, le=4096,
        description="most questions scored at once; a batch shares the interpreter's work, which "
        "counts most under overload",
    )  # fmt: skip
    queue_limit: int = Field(
        128, ge=1, le=65536,
        description="most questions waiting or being scored before requests are refused with 503: "
        "two batches, as one waits while another is scored",
    )  # fmt: skip
