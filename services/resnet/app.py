"""`serve`: from settings to a running service."""

from __future__ import annotations

from services.resnet.backends.backend import BackendUnavailable
from services.resnet.backends.choice import choose, expected_batch, open_backend
from services.resnet.classifier_folder import read_classifier_folder
from services.resnet.model import ResnetModel
from services.resnet.preprocessing import Preprocessor
from services.resnet.settings import ResnetSettings
from services.serving.command_line import CommandFailed
from services.serving.server import serve


def load(settings: ResnetSettings) -> ResnetModel:
    """Verify the model folder and open it in the backend that the settings choose.

    Raises ModelFolderError, naming the file, for a folder that is not as it was written, and
    CommandFailed for a backend that cannot run here.
    """
    folder = read_classifier_folder(settings.model)
    threads = settings.model_threads
    try:
        choice = choose(settings.backend, settings.device, libraries=folder.libraries())
        backend = open_backend(
            choice,
            folder,
            threads=threads,
            precision=settings.precision,
            spinning=settings.spinning,
        )
    except BackendUnavailable as error:
        raise CommandFailed(str(error)) from None
    preprocess = Preprocessor(folder.transform, settings.picture_limits, slots=threads)
    max_batch = settings.max_batch or choice.default_batch
    return ResnetModel(
        folder,
        backend,
        preprocess,
        max_batch=max_batch,
        device=choice.device,
        has_one_core=threads == 1,
    )


def run(settings: ResnetSettings) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Raises CommandFailed where the service cannot start.
    """
    batch = settings.max_batch or expected_batch(settings.backend, settings.device)
    serve(settings.model_copy(update={"max_batch": batch}), load)
