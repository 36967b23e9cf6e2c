"""A transform is data that is checked when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.resnet.transform import Transform, TransformError, read_transform, write_transform


def test_what_is_written_is_read(resnet152_transform: Transform, tmp_path: Path) -> None:
    path = tmp_path / "preprocessing.json"
    write_transform(resnet152_transform, path)
    assert read_transform(path) == resnet152_transform


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('"crop": 224', '"crop": 233', "crop is larger than resize"),
        ('"crop": 224', '"crop": 0', "greater than or equal to 1"),
        ('"crop": 224', '"crop": "224"', "valid integer"),
        ("0.229", "0.0", "standard_deviation is not positive"),
        ("0.485", "null", "valid number"),
        ('"bilinear"', '"lanczos"', "'nearest', 'bilinear' or 'bicubic'"),
        ('"resize"', '"size"', "required"),
        ('"RGB"', '"GRB"', "'RGB' or 'BGR'"),
        ('"NCHW"', '"CHW"', "'NCHW' or 'NHWC'"),
        ("255.0", "0.0", "greater than 0"),
        ("255.0", "1e999", "finite|less than"),
        ("{", "[", "JSON"),
    ],
)
def test_a_transform_that_cannot_be_applied_is_refused_in_one_line(
    resnet152_transform: Transform, tmp_path: Path, before: str, after: str, reason: str
) -> None:
    path = tmp_path / "preprocessing.json"
    write_transform(resnet152_transform, path)
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(TransformError, match=reason) as raised:
        read_transform(path)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("preprocessing.json: ")


def test_a_file_from_before_there_were_other_layouts_is_torchvisions(tmp_path: Path) -> None:
    path = tmp_path / "preprocessing.json"
    path.write_text(
        '{"resize": 232, "crop": 224, "interpolation": "bilinear",'
        ' "mean": [0.485, 0.456, 0.406], "standard_deviation": [0.229, 0.224, 0.225]}'
    )
    transform = read_transform(path)
    assert (transform.channels, transform.layout, transform.divisor) == ("RGB", "NCHW", 255)
    assert transform.shape == (3, 224, 224)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TransformError, match=r"preprocessing\.json: no such file"):
        read_transform(tmp_path / "preprocessing.json")
