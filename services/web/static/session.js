// Who uses the page, as its server knows it; nobody where nobody signs in.

const LONGEST_MS = 10000;

let known = describe();

export const session = () => known;

export function renewSession() {
  known = describe();
  return known;
}

async function describe() {
  try {
    // Every question waits for this answer.
    const signal = AbortSignal.timeout(LONGEST_MS);
    const response = await fetch("api/session", { headers: { Accept: "application/json" }, signal });
    return response.ok ? await response.json() : {};
  } catch {
    // The first request that needs it says what is wrong.
    return {};
  }
}
