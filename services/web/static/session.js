// Who uses the page, as its server knows it; nobody where nobody signs in.

const LONGEST_MS = 10000;

let known = describe();
let follow = () => {};

export const session = () => known;

export function renewSession() {
  known = describe();
  tellFollower();
  return known;
}

// `follower` learns who it is now, and whenever that was asked again. Where no answer came,
// `signed_in` is undefined.
export function followSession(follower) {
  follow = follower;
  tellFollower();
}

async function tellFollower() {
  const asked = known;
  const answer = await asked;
  if (asked === known) follow(answer);
}

async function describe() {
  try {
    // Every question waits for this answer.
    const signal = AbortSignal.timeout?.(LONGEST_MS);
    const response = await fetch("api/session", { headers: { Accept: "application/json" }, signal });
    if (response.status === 401) return { signed_in: false };
    return response.ok ? await response.json() : {};
  } catch {
    // The first request that needs it says what is wrong.
    return {};
  }
}
