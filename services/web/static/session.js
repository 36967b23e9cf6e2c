// Who uses the page, as its server knows it; nobody where nobody signs in.

let known = describe();

export const session = () => known;

export function renewSession() {
  known = describe();
  return known;
}

async function describe() {
  try {
    const response = await fetch("api/session", { headers: { Accept: "application/json" } });
    return response.ok ? await response.json() : {};
  } catch {
    // The first request that needs it says what is wrong.
    return {};
  }
}
