"""Scoring requests on the event loop; all others are Flask's.

A scoring request costs no thread and no switch to one but those to the model and back, and not even
those where the model is brief: the loop reads, checks and prepares it, the batcher scores it with its
neighbours, and the whole batch is answered at once. Only what may take long (a picture to decode, a
large body) is prepared by a thread: one of several, or where there is but one core by who scores.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from services.serving.answered import Answered
from services.serving.deadlines import Deadlines
from services.serving.http.exchange import Exchange, Send, Site
from services.serving.http.message import Address, Head, Reply, problem_reply
from services.serving.mailbox import Mailbox
from services.serving.model import Model
from services.serving.preparing import Preparing
from services.serving.problem import Problem
from services.serving.refusal import Refusals
from services.serving.request_id import new_request_id
from services.serving.responses import API_HEADERS, RequestMetrics, record
from services.serving.scoring import Scoring
from services.serving.scoring_exchange import ScoringExchange
from services.serving.scoring_paths import ScoringPaths

if TYPE_CHECKING:
    from services.serving.tracing import RequestTracer


class ScoringSite:
    """A service's site.

    Args:
        others: answers whatever needs no model.
        paths: what needs the model.
        metrics: of what is answered; refusals count themselves.
        threads: for what takes long to prepare.
        most_prepared: requests that threads have prepared and the model has not scored.
        prepares_slowly: whether that is every request.
        tracer: makes spans; None for none.
        access_log: whether each request is a line of the log.
    """

    def __init__(
        self,
        others: Site,
        *,
        paths: ScoringPaths,
        scoring: Scoring,
        refusals: Refusals,
        metrics: RequestMetrics,
        threads: int,
        most_prepared: int,
        prepares_slowly: bool,
        tracer: RequestTracer | None,
        access_log: bool,
    ) -> None:
        self._others = others
        self._paths = paths
        self._refusals = refusals
        self._has_begun = False
        self.mailbox: Mailbox
        self.deadlines: Deadlines
        self.scoring = scoring
        self.metrics = metrics
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="prepare")
        self.preparing = Preparing(most_prepared)
        self.prepares_slowly = prepares_slowly
        self.tracer = tracer
        self.access_log = access_log
        self.in_flight = 0

    def open(self, head: Head, send: Send) -> Exchange:
        """Begin with a request."""
        if not self._has_begun:
            self._begin()
        found = self._paths.match(head.path) if head.method == "POST" else None
        if found is None:
            return self._others.open(head, send)
        rule, names = found
        if self.is_at_capacity:
            send(self._refuse(rule))
            return REFUSED
        exchange = ScoringExchange(self, head, rule, send)
        exchange.open(names)
        return exchange

    @property
    def is_at_capacity(self) -> bool:
        """Whether all that need the model are refused."""
        return self.scoring.batcher.is_full

    def refusal(self, target: bytes) -> Reply | None:
        """The refusal of a POST to ``target``; None where that needs no model, or is written unusually."""
        path = target.partition(b"?")[0]
        found = None if b"%" in path or b"#" in path else self._paths.match(path.decode("latin-1"))
        return None if found is None else self._refuse(found[0])

    def refuse(self, problem: Problem, client: Address) -> Reply:
        """The reply to what is no request, which is counted and logged as one of no route."""
        request_id = new_request_id()
        reply = problem_reply(problem, request_id=request_id)
        reply.headers += [("X-Request-Id", request_id), *API_HEADERS]
        answered = Answered(
            request_id=request_id,
            method="",
            route="unknown",
            status=reply.status,
            seconds=0.0,
            peer=client[0],
            forwarded_for="",
            bytes_in=0,
            bytes_out=len(reply.body),
        )
        record(answered, self.metrics, access_log=self.access_log)
        return reply

    def make_way_for(self, model: Model[Any, Any]) -> None:
        """Have the batcher leave the loop, for good, if ``model`` is not brief; called by any thread."""
        if self._has_begun and not model.scores_briefly:
            self.mailbox.put(self.scoring.batcher.score_in_thread)

    def _refuse(self, rule: str) -> Reply:
        return self._refusals.reply(rule, self.scoring.batcher.expected_wait_seconds)

    def _begin(self) -> None:
        """Do what has to be done on the loop, with the first request."""
        loop = asyncio.get_running_loop()
        self.mailbox = Mailbox(loop)
        self.deadlines = Deadlines(loop)
        # Before a look at the models, for whoever replaces one meanwhile.
        self._has_begun = True
        models = [each.model for each in self.scoring.versions.present]
        if all(model.scores_briefly for model in models):
            self.scoring.batcher.score_on(loop, self.mailbox)


class _Refused:
    """A request that was replied to before its body was looked at."""

    most_bytes = 0

    def receive(self, body: bytes) -> None:
        pass

    def fail(self, problem: Problem) -> None:
        pass

    def abandon(self) -> None:
        pass


REFUSED = _Refused()
