// Who is signed in, and the way out.

import { postJson } from "./api.js";
import { element } from "./elements.js";
import { session } from "./session.js";

export async function showAccount(place) {
  const { signed_in: isSignedIn, name } = await session();
  if (!isSignedIn) return;
  const note = element("span", { className: "account-fault", role: "alert" });
  const button = element("button", {
    type: "button",
    className: "quiet",
    textContent: "Sign out",
    onclick: () => signOut(button, note),
  });
  place.append(element("span", { className: "account-name", textContent: name }), button, note);
}

async function signOut(button, note) {
  button.disabled = true;
  try {
    const { location: next } = await postJson("auth/sign-out", {});
    location.assign(next);
  } catch (failure) {
    // Without a session there is nothing left to end.
    if (failure.status === 401) location.assign("auth/signed-out?here=only");
    button.disabled = false;
    note.textContent = failure.text;
  }
}
