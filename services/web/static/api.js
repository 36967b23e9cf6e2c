// Calls to the page's own server.

import { Failure, failureOf, noConnection } from "./failure.js";

export const getJson = (path) => call(path, {});

export const postJson = (path, content, signal) =>
  call(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(content),
    signal,
  });

export const postPicture = (path, picture, signal) =>
  call(path, { method: "POST", headers: { "Content-Type": picture.type }, body: picture, signal });

async function call(path, options) {
  let response;
  try {
    const headers = { Accept: "application/json", ...options.headers };
    response = await fetch(path, { ...options, headers });
    if (response.ok) return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (error instanceof SyntaxError) {
      throw new Failure("That did not work", "The answer cannot be read.");
    }
    throw noConnection();
  }
  throw await failureOf(response);
}
