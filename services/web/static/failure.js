// What went wrong, in words for the person at the page.

const TITLES = {
  400: "That cannot be used",
  401: "You are not signed in any more",
  403: "You may not do that here",
  408: "The connection is too slow",
  413: "That is too large",
  415: "That cannot be read",
  422: "That cannot be used",
  429: "Too many requests",
  500: "The page’s server failed",
  502: "The service is not available",
  503: "The service is busy",
  504: "That took too long",
};
// 401 too: a picture that was chosen can be sent once somebody has signed in again in another tab.
const WORTH_ANOTHER_TRY = new Set([401, 408, 429, 500, 502, 503, 504]);

export class Failure extends Error {
  constructor(
    title,
    text,
    { mayRetry = false, retrySeconds = 0, reference = "", status = 0 } = {},
  ) {
    super(title);
    Object.assign(this, { title, text, mayRetry, retrySeconds, reference, status });
  }
}

export async function failureOf(response) {
  const problem = await problemIn(response);
  const retrySeconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10) || 0;
  const sentences = [problem.detail ?? `The server answered with status ${response.status}.`];
  for (const error of problem.errors ?? []) sentences.push(`${error.message}.`);
  if (retrySeconds) sentences.push(`Try again in ${retrySeconds} s.`);
  return new Failure(TITLES[response.status] ?? "That did not work", sentences.join(" "), {
    mayRetry: WORTH_ANOTHER_TRY.has(response.status),
    retrySeconds,
    status: response.status,
    reference: response.headers.get("X-Request-Id") ?? "",
  });
}

export function noConnection() {
  return navigator.onLine
    ? new Failure("The page cannot reach its server", "Check the connection, then try again.", {
        mayRetry: true,
      })
    : new Failure("You are offline", "Connect to the network, then try again.", {
        mayRetry: true,
      });
}

export function unreadable() {
  return new Failure(
    "That file cannot be read",
    "It was changed, moved or deleted since it was chosen, or may not be read. Choose it again.",
  );
}

// Whatever was thrown, as a `Failure`; a fault of the page itself goes to the console, too.
export function failureIn(error) {
  if (error instanceof Failure) return error;
  if (error.name === "AbortError") return noAnswer();
  reportError(error);
  return new Failure("That did not work", "The page itself failed. Load it again.");
}

function noAnswer() {
  return new Failure("That took too long", "There was no answer within a minute.", {
    mayRetry: true,
  });
}

async function problemIn(response) {
  if (!(response.headers.get("Content-Type") ?? "").includes("json")) return {};
  try {
    return (await response.json()) ?? {};
  } catch {
    return {};
  }
}
