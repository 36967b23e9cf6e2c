"""One scoring request on the event loop, from its head to its reply."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from services.serving.admission import past_deadline
from services.serving.answered import CLIENT_GONE, Answered, Stages
from services.serving.brevity import TakesLong
from services.serving.http.exchange import Send
from services.serving.http.message import Head, Reply, header_lines, problem_reply
from services.serving.preparing import Place
from services.serving.problem import Problem, service_failed
from services.serving.request_id import request_id_of
from services.serving.responses import API_HEADERS, record
from services.serving.scoring import Scored, ScoringRequest
from services.serving.ticket import Ticket

if TYPE_CHECKING:
    from services.serving.scoring_site import ScoringSite
    from services.serving.tracing import RequestSpan

log = logging.getLogger(__name__)

Given = TypeVar("Given")
Result = TypeVar("Result")

QUICK_BYTES = 64 << 10
"""A body of up to this size is read as JSON in well under a millisecond."""
BRIEF_BYTES = 128 << 10
"""A body up to this size may be prepared on the event loop by a model that says what takes long."""
QUICK_ITEMS = 64
"""So many outputs are made into a response in about a millisecond."""
MOST_QUERY_FIELDS = 50
LINES = header_lines((("Cache-Control", "no-store"), *API_HEADERS))
"""What every reply carries."""


class ScoringExchange:
    """One request. Each step either leads to the next one or to :meth:`_end`."""

    def __init__(self, site: ScoringSite, head: Head, rule: str, send: Send) -> None:
        self._began = time.perf_counter()
        self._site = site
        self._head = head
        self._rule = rule
        self._send = send
        self._request_id = request_id_of(head.headers)
        self._request: ScoringRequest | None = None
        self._ticket: Ticket[Any, Any] | None = None
        self._tick: int | None = None
        self._place: Place | None = None
        self._is_over = False
        self._span: RequestSpan | None = (
            site.tracer.begin(rule, head.headers) if site.tracer is not None else None
        )
        self.most_bytes = site.scoring.limits.max_body_bytes
        site.in_flight += 1

    def open(self, names: Mapping[str, str]) -> None:
        """Look at the head."""

        self._try(self._open, names)

    def receive(self, body: bytes) -> None:
        """Take a place for what the body asks, and have it prepared."""
        if self._request is not None:
            self._try(self._take, body)

    def fail(self, problem: Problem) -> None:
        """Reply that there is no body."""
        self._refuse(problem)

    def abandon(self) -> None:
        """Let go of everything: the client is gone, and whoever looks for its request finds that."""
        if not self._is_over:
            self._close()
            self._record(self._answered(CLIENT_GONE))
            if self._span is not None:
                self._span.drop()

    # Steps

    def _open(self, names: Mapping[str, str]) -> None:
        head = self._head
        self._request = self._site.scoring.open(self._rule, names, head.headers, head.declared)

    def _take(self, body: bytes) -> None:
        request = self._opened()
        self._admit(request)
        is_plain = request.coding in ("", "identity")
        if request.prepares_in_turn and (
            not self._site.scoring.batcher.is_on_loop or (is_plain and len(body) <= BRIEF_BYTES)
        ):
            self._submit_unprepared(body)
        elif is_plain and len(body) <= QUICK_BYTES and not self._site.prepares_slowly:
            self._submit(self._prepare(body))
        else:
            self._prepare_in_thread(body)

    def _admit(self, request: ScoringRequest) -> None:
        request.admit()
        self._tick = self._site.deadlines.add(request.deadline, self._too_late)

    def _prepare(self, body: bytes) -> ScoringRequest:
        request = self._opened()
        if self._is_over or time.monotonic() >= request.deadline:
            raise past_deadline()
        request.prepare(request.decode(body), _fields(self._head.query), self._request_id)
        return request

    def _submit(self, request: ScoringRequest) -> None:
        mailbox = self._site.mailbox
        self._ticket = request.admission.submit(
            request.items, lambda: mailbox.put(self._scored), request.predict
        )

    def _submit_unprepared(self, body: bytes) -> None:
        request, mailbox = self._opened(), self._site.mailbox
        self._ticket = request.admission.submit_unprepared(
            lambda: self._prepare(body).items,
            lambda: mailbox.put(lambda: self._scored(body)),
            request.predict,
        )

    def _prepare_in_thread(self, body: bytes) -> None:
        self._place = self._site.preparing.take(
            lambda: self._in_thread(lambda: self._prepare(body), self._submit)
        )

    def _scored(self, unprepared: bytes = b"") -> None:
        """Answer, or where it was ``unprepared`` and that takes long, begin again in a thread."""
        ticket, self._ticket = self._ticket, None
        if self._is_over or ticket is None:
            return
        if isinstance(ticket.failure, TakesLong):
            ticket.settle()
            self._prepare_in_thread(unprepared)
            return
        self._leave_place()
        if len(ticket.items) <= QUICK_ITEMS:
            self._try(self._answer_with, ticket)
            ticket.settle()
        else:
            self._in_thread(lambda: self._render(ticket), self._answer)

    def _answer_with(self, ticket: Ticket[Any, Any]) -> None:
        self._answer(self._render(ticket))

    def _render(self, ticket: Ticket[Any, Any]) -> Scored:
        return self._opened().render(ticket.result())

    def _answer(self, scored: Scored) -> None:
        headers = [("Content-Type", scored.content_type), *scored.headers]
        self._end(Reply(200, headers, scored.body), stages=scored.stages)

    def _too_late(self) -> None:
        self._refuse(past_deadline())

    def _opened(self) -> ScoringRequest:
        if self._request is None:
            raise RuntimeError("the request is not open")
        return self._request

    # What may go wrong with a step

    def _try(self, step: Callable[[Given], None], given: Given) -> None:
        try:
            step(given)
        except Problem as problem:
            self._refuse(problem)
        except Exception as error:  # noqa: BLE001 - whatever a model raises is its request's answer
            self._break(error)

    def _in_thread(self, step: Callable[[], Result], then: Callable[[Result], None]) -> None:
        """Do a step in a thread, then go on with what it returned."""
        mailbox = self._site.mailbox

        def run() -> None:
            try:
                result = step()
            except Problem as problem:
                mailbox.put(lambda refusal=problem: self._refuse(refusal))
            except Exception as error:  # noqa: BLE001 - as above
                mailbox.put(lambda fault=error: self._break(fault))
            else:
                mailbox.put(lambda: self._go_on(then, result))

        self._site.pool.submit(run)

    def _go_on(self, step: Callable[[Result], None], result: Result) -> None:
        if self._is_over:
            self._close()
        else:
            self._try(step, result)

    def _break(self, error: Exception) -> None:
        log.error("unexpected error", exc_info=error)
        self._refuse(service_failed())

    def _refuse(self, problem: Problem) -> None:
        reply = problem_reply(problem, self._head.path, self._request_id)
        self._end(reply, reason=problem.reason)

    # The end

    def _end(self, reply: Reply, *, reason: str = "", stages: Stages | None = None) -> None:
        if self._is_over:
            self._close()
            return
        self._close()
        reply.headers.append(("X-Request-Id", self._request_id))
        reply.lines = LINES
        self._record(self._answered(reply.status, len(reply.body), reason, stages))
        if self._span is not None:
            self._span.end(reply.status, reply.headers)
        self._send(reply)

    def _answered(
        self, status: int, bytes_out: int = 0, reason: str = "", stages: Stages | None = None
    ) -> Answered:
        return Answered(
            request_id=self._request_id,
            method="POST",
            route=self._rule,
            status=status,
            seconds=time.perf_counter() - self._began,
            peer=self._head.client[0],
            forwarded_for=self._head.headers.get("x-forwarded-for"),
            bytes_in=self._request.received_bytes if self._request else 0,
            bytes_out=bytes_out,
            reason=reason,
            trace_id=self._span.trace_id if self._span is not None else "",
            stages=stages,
        )

    def _record(self, answered: Answered) -> None:
        key = self._request.key.name if self._request else ""
        record(answered, self._site.metrics, access_log=self._site.access_log, key=key)

    def _leave_place(self) -> None:
        """Let the next one be prepared, and let go of the way back from the place to this and the body.

        Else what was decoded would be kept until cyclic garbage is collected, seconds of it.
        """
        place, self._place = self._place, None
        if place is not None:
            place.end()

    def _close(self) -> None:
        """Give everything back; once more where a thread has taken something after the end."""
        if self._tick is not None:
            self._site.deadlines.discard(self._tick, self._too_late)
        if self._ticket is not None:
            self._site.scoring.batcher.abandon(self._ticket)
            self._ticket = None
        self._leave_place()
        if self._request is not None:
            self._request.close()
        if not self._is_over:
            self._is_over = True
            self._site.in_flight -= 1


def _fields(query: str) -> Mapping[str, str]:
    """The fields of a query string, the first of each name."""
    if not query:
        return {}
    try:
        fields = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_QUERY_FIELDS)
    except ValueError:
        raise Problem(400, f"The query has more than {MOST_QUERY_FIELDS} fields.") from None
    return dict(reversed(fields))
