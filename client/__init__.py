"""Python client of the two scoring services.

from client import ScoringClient

with ScoringClient("http://127.0.0.1:8081") as faq:
    for match in faq.match("How do I read a file line by line?").matches:
        print(match.score, match.title)
"""

from __future__ import annotations

from client.answers import Classification, Match, MatchAnswer, ModelReference, Prediction
from client.errors import (
    AtCapacity,
    ConnectionCut,
    DeadlineExceeded,
    FieldError,
    Forbidden,
    InvalidRequest,
    NotFound,
    RateLimited,
    Refused,
    ScoringError,
    ServiceFailed,
    TooLarge,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
    UnsupportedPicture,
)
from client.retrying import NO_RETRIES, Retries
from client.scoring_client import ScoringClient

__all__ = [
    "NO_RETRIES",
    "AtCapacity",
    "Classification",
    "ConnectionCut",
    "DeadlineExceeded",
    "FieldError",
    "Forbidden",
    "InvalidRequest",
    "Match",
    "MatchAnswer",
    "ModelReference",
    "NotFound",
    "Prediction",
    "RateLimited",
    "Refused",
    "Retries",
    "ScoringClient",
    "ScoringError",
    "ServiceFailed",
    "TooLarge",
    "Unauthorized",
    "UnexpectedAnswer",
    "Unreachable",
    "UnsupportedPicture",
]
