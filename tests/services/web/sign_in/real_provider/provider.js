// A real OpenID provider for the tests of sign-in: panva's oidc-provider, certified by the OpenID
// Foundation, with three accounts and one client.
//
//   node provider.js PORT PACKAGES ORIGIN
//
// PACKAGES is the folder with node_modules, ORIGIN that of the client application.

import { generateKeyPairSync } from "node:crypto";
import { pathToFileURL } from "node:url";

const [port, packages, origin] = process.argv.slice(2);
const library = `${packages}/node_modules/oidc-provider/lib/index.js`;
const { default: Provider } = await import(pathToFileURL(library));

const PEOPLE = {
  ada: { name: "Ada Lovelace", groups: ["scorers", "mathematicians"] },
  grace: { name: "Grace Hopper", groups: ["scorers"] },
  mallory: { name: "Mallory <script>alert(1)</script>", groups: ["visitors"] },
};

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), kid: "real-1", alg: "RS256", use: "sig" };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "page",
      client_secret: "secret/with+signs:that%need=coding",
      redirect_uris: [`${origin}/auth/callback`],
      post_logout_redirect_uris: [`${origin}/auth/signed-out`],
      token_endpoint_auth_method: "client_secret_basic",
    },
  ],
  claims: { openid: ["sub"], profile: ["name", "groups"] },
  // Claims in the ID token itself, as Entra has them.
  conformIdTokenClaims: false,
  clientAuthMethods: ["client_secret_basic"],
  cookies: { keys: ["only for tests"] },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) =>
    PEOPLE[id] && { accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) },
  jwks: { keys: [key] },
  pkce: { required: () => true },
});

provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
