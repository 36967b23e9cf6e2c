"""A name means published weights with their own transform, or is refused with close names."""

from __future__ import annotations

import pytest
import torchvision

from services.resnet.imagenet import NotImageNet, imagenet_labels
from services.resnet.networks import architecture_names
from services.resnet.weights import UnknownName, resolve_weights


def test_the_default_of_resnet152_is_its_second_weights_with_their_own_resize() -> None:
    weights = resolve_weights("resnet152", "default")
    assert weights.name == "IMAGENET1K_V2"
    assert weights.url == "https://download.pytorch.org/models/resnet152-f82ba261.pth"
    assert weights.sha256_prefix == "f82ba261"
    assert (weights.transform.resize, weights.transform.crop) == (232, 224)
    assert weights.transform.interpolation == "bilinear"
    assert weights.accuracy == pytest.approx(82.284)


def test_the_first_weights_of_resnet152_have_another_resize() -> None:
    weights = resolve_weights("resnet152", "IMAGENET1K_V1")
    assert (weights.transform.resize, weights.sha256_prefix) == (256, "394f9c45")


@pytest.mark.parametrize("architecture", architecture_names())
def test_every_architecture_has_weights_with_a_hash_a_transform_and_a_thousand_labels(
    architecture: str,
) -> None:
    weights = resolve_weights(architecture, "default")
    assert len(weights.sha256_prefix) >= 8
    assert len(weights.labels) == 1000
    assert weights.transform.crop <= weights.transform.resize


def test_weights_without_classes_are_not_offered() -> None:
    assert "IMAGENET1K_FEATURES" in torchvision.models.VGG16_Weights.__members__
    with pytest.raises(UnknownName):
        resolve_weights("vgg16", "IMAGENET1K_FEATURES")


@pytest.mark.parametrize(
    ("architecture", "weights", "close"),
    [
        ("resnet151", "default", "resnet152"),
        ("efficientnet_lite", "default", "efficientnet_lite0"),
        ("resnet152", "IMAGENET1K_V3", "IMAGENET1K_V2"),
        ("efficientnet_lite0", "IMAGENET1K_V1", "IMAGENET1K"),
        ("resnet152", "\N{PILE OF POO}" * 500, "seeded"),
    ],
)
def test_a_wrong_name_is_answered_with_close_ones_in_one_line(
    architecture: str, weights: str, close: str
) -> None:
    with pytest.raises(UnknownName, match=close) as raised:
        resolve_weights(architecture, weights)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500


def test_labels_carry_their_wordnet_synset() -> None:
    labels = imagenet_labels(resolve_weights("resnet152", "default").labels)
    assert labels[287].label == "lynx"
    assert labels[287].predecessor_text == "n02127052 lynx, catamount"
    assert len({label.wordnet_id for label in labels}) == 1000
    assert [label.wordnet_id for label in labels] == sorted(label.wordnet_id for label in labels)


def test_names_in_another_order_get_no_synsets() -> None:
    names = list(resolve_weights("resnet152", "default").labels)
    names[0], names[1] = names[1], names[0]
    with pytest.raises(NotImageNet):
        imagenet_labels(names)
