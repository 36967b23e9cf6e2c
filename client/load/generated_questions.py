"""Questions about JavaScript, composed from a seed so that no two are alike.

A service must not be measured with one text over and over: caches and branch predictors would
learn it. Each question has an opening, a few sentences on one subject, a line of code and a close.
"""

from __future__ import annotations

import random

COUNT = 500
TARGET_LENGTH = 400

OPENINGS = (
    "I am new to JavaScript and cannot get my head around SUBJECT.",
    "How do I deal with SUBJECT in a way that also works in older browsers?",
    "What is the right way to handle SUBJECT without an extra library?",
    "My code worked until yesterday and now SUBJECT behaves differently.",
    "Can somebody explain what really happens with SUBJECT?",
    "In a code review I was told that my use of SUBJECT is wrong.",
    "We are moving a large application to modules and stumbled over SUBJECT.",
    "Is there a difference between the two common ways of writing SUBJECT?",
)

SUBJECTS = (
    ("closures in a loop", "for (var i = 0; i < <n>; i++) { handlers.push(() => log(i)); }"),
    ("the value of this in a callback", "button<n>.addEventListener('click', view.render);"),
    ("promises that never resolve", "await Promise.all(urls<n>.map(url => fetch(url)));"),
    ("sorting an array of objects by a property", "rows<n>.sort((a, b) => a.name > b.name);"),
    ("comparing two dates", "if (new Date('2019-0<n>-01') == other) { update(); }"),
    ("removing an element from an array", "items.splice(items.indexOf(entry<n>), 1);"),
    ("copying a nested object", "const copy<n> = Object.assign({}, settings);"),
    ("rounding of decimal numbers", "total<n> = (0.1 + 0.2).toFixed(2);"),
    ("regular expressions with groups", "text.match(/(\\d{<n>})-(\\w+)/g).forEach(print);"),
    ("event bubbling in a table", "table.rows[<n>].onclick = e => e.stopPropagation();"),
    ("parsing of JSON from a server", "const data<n> = JSON.parse(request.responseText);"),
    ("setTimeout inside an async function", "setTimeout(refresh, <n>000); return state;"),
    ("equality of null and undefined", "if (value<n> == null && value<n> !== undefined) {}"),
    ("import and require in one project", "const part<n> = require('./part<n>.mjs');"),
    ("reading a query string", "location.search.substr(<n>).split('&').map(decode);"),
    ("prototype inheritance and classes", "Animal<n>.prototype = Object.create(Base.prototype);"),
)

DETAILS = (
    "The console shows no error at all, which makes it hard to find out where it goes wrong.",
    "I have read the documentation twice, but the examples there are much simpler than mine.",
    "It happens only with the second request, never with the first one after a reload.",
    "When I step through it in the debugger everything looks fine.",
    "In Firefox it works as I expect, in Safari the result is undefined.",
    "The list can have up to <n>000 entries, so it should not become slow.",
    "A colleague suggested a library with <n> dependencies, which I would rather avoid.",
    "The variable is set in another file that is loaded before this one.",
    "I tried to wrap it in a function, to bind it and to use an arrow function instead.",
    "The same lines run without trouble under Node version 1<n>.",
    "Users report that the page freezes for about <n> seconds on a phone.",
    "I found several answers to this but all of them are from many years ago.",
)

CLOSES = (
    "What am I missing?",
    "Is there a better pattern for this?",
    "Any hint would be welcome.",
    "Which of the two should I prefer, and why?",
    "How can I test this reliably?",
)


def generated_questions(count: int = COUNT, seed: int = 11) -> list[str]:
    """``count`` questions of about 400 characters each, the same for the same arguments."""
    generator = random.Random(seed)  # noqa: S311 - reproducible, not secret
    return [_question(generator) for _ in range(count)]


def _question(generator: random.Random) -> str:
    subject, code = generator.choice(SUBJECTS)
    parts = [generator.choice(OPENINGS).replace("SUBJECT", subject)]
    ending = f"{code}\n{generator.choice(CLOSES)}"
    for detail in generator.sample(DETAILS, len(DETAILS)):
        if sum(map(len, parts)) + len(ending) >= TARGET_LENGTH - 40:
            break
        parts.append(detail)
    question = f"{' '.join(parts)}\n{ending}"
    return question.replace("<n>", str(generator.randint(2, 9)))
