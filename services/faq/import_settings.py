"""The settings of `import`: every one is a flag and an environment variable."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ImportSettings(BaseSettings):
    """What is imported, and how."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="FAQ_IMPORT_")

    data: Path = Field(description="folder to write the data to, for train --data")
    dump: Path | None = Field(
        None,
        description="folder, or one 7z archive, of a Stack Exchange data dump: Posts.xml, "
        "PostLinks.xml and, for the authors' names, Users.xml; as such, .bz2, .gz or in .7z",
    )
    site: str = Field(
        "stackoverflow", description="site of the dump: its name or host, for addresses of posts"
    )
    tag: tuple[str, ...] = Field(
        ("javascript",), description="take questions with one of these tags"
    )
    any_tag: bool = Field(False, description="take all questions, whatever their tags")
    restart: bool = Field(
        False, description="begin anew instead of going on with an unfinished import"
    )
    overwrite: bool = Field(False, description="replace data that is in the folder already")
    table: tuple[Path, ...] = Field(
        (),
        description="instead of a dump: your own questions, as .csv, .tsv or .jsonl; several files "
        "are read as one",
    )
    encoding: str = Field("utf-8", description="encoding of the tables")
    delimiter: str = Field(
        "", max_length=1, description="what separates columns; by the file's name if left out"
    )
    text_format: Literal["plain", "html"] = Field(
        "plain", description="what the columns of bodies and answers hold"
    )
    question_column: str = Field(
        "question", min_length=1, description="the question, or its title; plain text"
    )
    body_column: str = Field("body", description="more of the question")
    answer_column: str = Field("answer", description="the answer; none in a duplicate")
    id_column: str = Field(
        "id", description="whole numbers, or texts such as KB-0042; rows are numbered without it"
    )
    duplicate_of_column: str = Field(
        "duplicate_of", description="in a duplicate, the id of the question that it repeats"
    )
    created_column: str = Field("created", description="when it was asked, ISO 8601")
    author_column: str = Field("author", description="who wrote it")
    url_column: str = Field("url", description="where it is")
    licence_column: str = Field("licence", description="its licence")
    skip_errors: bool = Field(
        False, description="leave out the lines of tables that are wrong instead of refusing all"
    )

    @field_validator("site")
    @classmethod
    def known_site(cls, value: str) -> str:
        """Refuse what cannot be the name of a site."""
        # Not in the image that serves, whose command line knows these settings too.
        from services.faq.importing.sites import host_of

        host_of(value)
        return value

    @field_validator("encoding")
    @classmethod
    def encoding_of_lines(cls, value: str) -> str:
        """Refuse an encoding that is not known, or in which lines cannot be told by their bytes."""
        try:
            usable = "\n,".encode(value) == b"\n,"
        except (LookupError, UnicodeError):
            usable = False
        if not usable:
            raise ValueError("must be an encoding such as utf-8 or cp1252; save UTF-16 as UTF-8")
        return value

    @model_validator(mode="after")
    def one_source(self) -> ImportSettings:
        """Refuse neither a dump nor a table, and both."""
        if bool(self.dump) == bool(self.table):
            raise ValueError("give either --dump or --table")
        if self.dump and not self.any_tag and not any(tag.strip() for tag in self.tag):
            raise ValueError("give --tag, or --any-tag for all questions")
        return self
