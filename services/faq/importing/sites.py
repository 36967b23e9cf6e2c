"""The sites of Stack Exchange: their hosts, addresses and licences."""

from __future__ import annotations

import re
from typing import Final

_OWN_DOMAINS: Final = frozenset(
    {"askubuntu", "serverfault", "stackapps", "stackoverflow", "superuser"}
)
_HOST: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_NAME: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")
_DOMAINS: Final = (".com", ".net", ".org")
_LICENCE: Final = re.compile(r"CC BY-SA (\d\.\d)")

_BY_DATE: Final = (("2018-05-02", "4.0"), ("2011-04-08", "3.0"), ("", "2.5"))
"""From which day (UTC) content is under which version of CC BY-SA.

Source: https://stackoverflow.com/help/licensing
"""


def host_of(site: str) -> str:
    """Return the host of a site given by its host, or by its name in the data dumps.

    Raises:
        ValueError: it is no name of a site.
    """
    site = site.lower()
    if not _NAME.fullmatch(site):
        raise ValueError("must be a site of Stack Exchange, such as stackoverflow or unix")
    if site.endswith(_DOMAINS) and _HOST.fullmatch(site):
        return site
    if site.rpartition(".")[2] in _OWN_DOMAINS:
        return f"{site}.com"
    return "mathoverflow.net" if site == "mathoverflow" else f"{site}.stackexchange.com"


def question_url(host: str, question: int) -> str:
    """Return the address of a question."""
    return f"https://{host}/q/{question}"


def answer_url(host: str, answer: int) -> str:
    """Return the address of an answer."""
    return f"https://{host}/a/{answer}"


def user_url(host: str, user: int) -> str:
    """Return the address of an author's profile."""
    return f"https://{host}/users/{user}"


def licence_of(stated: str, changed: str) -> str:
    """Return the licence of a post: the one that the dump states, or the one of its date.

    Args:
        stated: attribute `ContentLicense`; empty in dumps before 2020.
        changed: when the post was written or last edited, ISO 8601.
    """
    if _LICENCE.fullmatch(stated):
        return stated
    return f"CC BY-SA {next(version for day, version in _BY_DATE if changed[:10] >= day)}"


def licence_url(licence: str) -> str | None:
    """Return the address of a licence's text, where it is one of Creative Commons' BY-SA."""
    match = _LICENCE.fullmatch(licence)
    return f"https://creativecommons.org/licenses/by-sa/{match[1]}/" if match else None
