"""One request before the load, so that nobody measures how fast a service says no."""

from __future__ import annotations

import ssl

import httpx

from client.address import Address
from client.errors import read_problem, refusal
from client.load.target import LoadRefused
from client.load.workload import Workload


def require_answer(
    address: Address, workload: Workload, *, api_key: str | None, timeout: float
) -> None:
    """Send the first body of a workload; it must be answered 200.

    Raises:
        LoadRefused: it is not; the message says what came instead.
    """
    headers = {"Content-Type": workload.content_type}
    if api_key is not None:
        headers["X-API-Key"] = api_key
    try:
        # Trusting whom the load itself trusts; httpx alone would take a list of its own.
        trust = ssl.create_default_context()
        with httpx.Client(timeout=timeout, trust_env=False, verify=trust) as http:
            response = http.post(
                f"{address}{workload.path}", content=workload.bodies[0], headers=headers
            )
    except httpx.HTTPError as error:
        raise LoadRefused(f"{address}: no answer ({type(error).__name__})") from None
    if response.status_code != 200:
        try:
            document: object = response.json()
        except ValueError:
            document = None
        problem = read_problem(response.status_code, document, retry_after=None, request_id="")
        raise LoadRefused(f"{address}: the first request was refused: {refusal(problem)}")
