// Who is signed in, and the way out.

import { postJson } from "./api.js";
import { element } from "./elements.js";
import { failureIn } from "./failure.js";
import { followSession } from "./session.js";

export function showAccount(place) {
  const account = element("span", { className: "account-name" });
  const note = element("span", { className: "account-fault", role: "alert" });
  const button = element("button", {
    type: "button",
    className: "quiet",
    textContent: "Sign out",
    onclick: () => signOut(button, note),
  });
  followSession(({ signed_in: isSignedIn, name }) => {
    if (isSignedIn === undefined) return;
    account.textContent = name ?? "";
    place.replaceChildren(...(isSignedIn ? [account, button, note] : []));
    if (isSignedIn) window.addEventListener("pageshow", loadAgain);
  });
}

// A page that Back brings out of the browser's memory is that of whoever was signed in then.
function loadAgain({ persisted }) {
  if (persisted) location.reload();
}

async function signOut(button, note) {
  button.disabled = true;
  note.textContent = "";
  try {
    const { location: next } = await postJson("auth/sign-out", {});
    location.assign(next);
  } catch (error) {
    const failure = failureIn(error);
    // Without a session there is nothing left to end.
    if (failure.status === 401) location.assign("auth/signed-out?here=only");
    button.disabled = false;
    note.textContent = failure.text;
  }
}
