"""`add`: more questions, answers and duplicates in a model, without training it again."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from services.faq.add_to_index import Added, add_to_index
from services.faq.additions import Additions, read_additions
from services.faq.data import DataSet, Duplicate, Original
from services.faq.embedding import Embedding
from services.faq.encoder import Encode
from services.faq.golden import golden_file, misses, read_golden
from services.faq.history import added_texts, with_addition
from services.faq.known import Known, known_texts
from services.faq.learnt_from import LEARNT_FILE, add_learnt, read_learnt
from services.faq.model_card import write_card
from services.faq.quality_gate import QualityGateFailed, golden_failures
from services.faq.ranking import Scorer
from services.faq.records import FILES, DataError
from services.faq.settings import AddSettings
from services.faq.source import data_folder
from services.faq.sparse_rows import TooManyTerms
from services.faq.storage import KIND, Example, StoredModel, load_model, save_model
from services.faq.stored_originals import StoredOriginals
from services.faq.training_run import golden_examples, show_progress, stored_originals, tell
from services.serving.command_line import CommandFailed
from services.serving.model_folder import (
    Manifest,
    ModelFolderError,
    file_sha256,
    new_model_folder,
    read_model_folder,
)

RETRAIN_BEYOND: Final = 0.1
"""Share of added texts from which training again is advised."""


def run_add(settings: AddSettings) -> None:
    """Add what the data has and the model has not, and put the new model in the old one's place.

    Raises:
        CommandFailed: the model or the data cannot be used, there is nothing to add, or a golden
            question would be answered differently.
    """
    started = time.monotonic()
    try:
        manifest = read_model_folder(settings.model, kind=KIND)
        model = load_model(settings.model)
        folder = data_folder(settings.data, settings.downloads, settings.sha256)
        trained = manifest.details.get("settings", {})
        known = read_learnt(settings.model)[:, 0]
        additions = read_additions(
            folder, model.originals, known, min_text=trained.get("min_text", 0)
        )
        tell(_counted(additions))
        _tell_of_few_duplicates(additions, len(model.originals), trained)
        extended = _extended(model, additions, trained.get("url_template", ""))
        _require_golden(model, extended, golden_file(folder, settings.golden))
        details = _write(settings, folder, manifest, additions, extended)
    except (DataError, ModelFolderError, TooManyTerms, QualityGateFailed) as error:
        raise CommandFailed(str(error)) from None
    tell(_compared(model.examples, extended.examples))
    _advise(details)
    tell(f"{settings.model}: written after {time.monotonic() - started:.0f} s")


def _tell_of_few_duplicates(additions: Additions, known: int, trained: dict[str, Any]) -> None:
    """Say how many of the new originals the next training would leave out."""
    fewest = 0 if trained.get("borrow") else trained.get("min_duplicates", 0)
    owned = Counter(each.owner - known for each in additions.duplicates)
    few = sum(owned[place] < fewest for place in range(len(additions.originals)))
    if few:
        tell(
            f"{few} of the new originals have too few duplicates for --min-duplicates {fewest}, "
            "which the model was trained with: they are added, but training with it leaves them out"
        )


def _extended(model: StoredModel, additions: Additions, url_template: str) -> StoredModel:
    originals, order = model.originals.and_new(
        StoredOriginals.of(stored_originals(additions.originals, url_template))
    )
    old = len(model.originals)
    duplicates = additions.duplicates
    owned = [each for each in duplicates if each.owner >= old]
    more = [each for each in duplicates if each.owner < old]
    encoder = model.scorer.encoder
    encode = encoder and Embedding(encoder, show_progress).encode
    added = Added(
        new=_known(additions.originals, owned, encode, first=old),
        more=_known([], more, encode, first=0),
        order=order,
    )
    scorer = Scorer(
        index=add_to_index(model.scorer.index, added),
        classifier=model.scorer.classifier,
        low_signal_below=model.scorer.low_signal_below,
        encoder=encoder,
    )
    texts = [example.text for example in model.examples]
    return StoredModel(
        scorer=scorer,
        originals=originals,
        examples=golden_examples(scorer, originals.ids, texts),
    )


def _known(
    originals: list[Original], duplicates: list[Duplicate], encode: Encode | None, *, first: int
) -> Known:
    """Cut the texts; the owners are counted from `first`."""
    known = known_texts(DataSet(originals, duplicates, {}, ""), show_progress, encode)
    return replace(known, owners=known.owners - first)


def _require_golden(before: StoredModel, after: StoredModel, path: Path | None) -> None:
    """Hold the golden set, if there is one.

    What the model that is added to answers wrongly already is no reason against the additions.

    Raises:
        QualityGateFailed: a golden question would be answered differently, or not as it must although
            its original is added.
    """
    if path is None:
        return
    golden = read_golden(path)
    known = set(before.originals.ids.tolist())
    wrong = {
        miss.line
        for miss in misses(golden, before.scorer, before.originals.ids.tolist())
        if golden.questions[miss.line - 1].original_id in known
    }
    missed = misses(golden, after.scorer, after.originals.ids.tolist())
    changed = [miss for miss in missed if miss.line not in wrong]
    if found := golden_failures(changed, len(golden.questions)):
        raise QualityGateFailed("; ".join(found) + "; nothing was added")


def _write(
    settings: AddSettings,
    folder: Path,
    manifest: Manifest,
    additions: Additions,
    model: StoredModel,
) -> dict[str, Any]:
    """Write the model; return what its manifest says."""
    sha256 = hashlib.sha256(b"".join(bytes.fromhex(file_sha256(folder / name)) for name in FILES))
    addition = {
        "sha256": sha256.hexdigest(),
        "to_version": manifest.version,
        "originals": len(additions.originals),
        "duplicates": len(additions.duplicates),
        "left_out": additions.left_out,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    made = hashlib.sha256(f"{manifest.sha256} {sha256.hexdigest()}".encode()).hexdigest()[:12]
    version = settings.version or made
    with new_model_folder(
        settings.model,
        kind=KIND,
        name=manifest.name,
        version=version,
        replaces=manifest.sha256,
    ) as draft:
        save_model(model, draft.folder)
        shutil.copyfile(settings.model / LEARNT_FILE, draft.folder / LEARNT_FILE)
        add_learnt(draft.folder, additions.duplicates)
        draft.details.update(with_addition(manifest.details, addition))
        write_card(draft.folder, manifest.name, version, draft.details)
        return draft.details


def _compared(before: tuple[Example, ...], after: tuple[Example, ...]) -> str:
    """Say how many of the golden examples have another best original than before."""
    first = [[example.first[0][0] for example in examples] for examples in (before, after)]
    changed = sum(one != other for one, other in zip(*first, strict=True))
    return f"{changed} of {len(before)} golden examples have another first place than before"


def _advise(details: dict[str, Any]) -> None:
    """Say when so much was added that the model should be trained again."""
    data = details["data"]
    trained = data["originals"] + data["duplicates"]
    added = added_texts(details)
    if added > RETRAIN_BEYOND * trained:
        tell(
            f"{added} texts were added to the {trained} that the model was trained on: train it "
            "again soon, so that it learns their words and its probabilities stay calibrated"
        )


def _counted(additions: Additions) -> str:
    left_out = "".join(
        f", {count} {reason} left out" for reason, count in additions.left_out.items()
    )
    originals, duplicates = len(additions.originals), len(additions.duplicates)
    return f"{originals} new originals, {duplicates} new duplicates{left_out}"
