// Calls to the page's own server.

import { Failure, failureOf, noConnection } from "./failure.js";
import { renewSession, session } from "./session.js";

export const getJson = (path) => call(path, {});

export const getPicture = (path, signal) =>
  call(path, { headers: { Accept: "image/*" }, signal }, (response) => response.blob());

export const postJson = (path, content, signal) =>
  post(path, "application/json", JSON.stringify(content), signal);

export const postPicture = (path, picture, signal) => post(path, picture.type, picture, signal);

// What changes something carries a number that only this page knows. Somebody who signed in again
// in another tab has a new one.
async function post(path, contentType, body, signal) {
  const send = ({ csrf_token: csrfToken = "" }) => {
    const headers = { "Content-Type": contentType, "X-CSRF-Token": csrfToken };
    return call(path, { method: "POST", headers, body, signal });
  };
  const before = await session();
  try {
    return await send(before);
  } catch (failure) {
    if (failure.status !== 401 && failure.status !== 403) throw failure;
    const now = await renewSession();
    if (!now.csrf_token || now.csrf_token === before.csrf_token) throw failure;
    return send(now);
  }
}

async function call(path, options, read = (response) => response.json()) {
  let response;
  try {
    const headers = { Accept: "application/json", ...options.headers };
    response = await fetch(path, { ...options, headers });
    if (response.ok) return await read(response);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (error instanceof SyntaxError) {
      throw new Failure("That did not work", "The answer cannot be read.");
    }
    throw noConnection();
  }
  throw await failureOf(response);
}
