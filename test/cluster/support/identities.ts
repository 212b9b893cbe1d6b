/** Who may ask a cluster: users by token or certificate, service accounts. */
import { generateKeyPair, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Certificate } from "../../support/certificate.js";
import type { ApiObject } from "./api-client.js";

export const ADMIN_CONTEXT = "kube-informers";
export const RESTRICTED_CONTEXT = "kube-informers-restricted";
/** The user of {@link RESTRICTED_CONTEXT}, as a RoleBinding names it. */
export const RESTRICTED_USER = "restricted";

export const ISSUER = "https://kubernetes.default.svc";

/** Of the two users. */
export interface Tokens {
  readonly admin: string;
  readonly restricted: string;
}

/** The key that signs service account tokens, the tokens of the two users, and the authority of client certificates. */
export async function writeCredentials(directory: string, tokens: Tokens, clientAuthority: Certificate): Promise<void> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
  });
  const lines = [
    `${tokens.admin},admin,admin,system:masters`,
    `${tokens.restricted},${RESTRICTED_USER},${RESTRICTED_USER},`,
  ];
  writeFileSync(join(directory, "service-account.key"), privateKey, { mode: 0o600 });
  writeFileSync(join(directory, "tokens.csv"), `${lines.join("\n")}\n`, { mode: 0o600 });
  writeFileSync(join(directory, "client-authority.crt"), clientAuthority.cert);
}

/** RFC 7519, with the claims that Kubernetes gives its own. */
export function signedToken(key: Buffer, { metadata: { name, namespace, uid } }: ApiObject, expires: Date): string {
  const expiry = Math.floor(expires.getTime() / 1000);
  const issued = expiry - 3_600;
  const claims = {
    iss: ISSUER,
    aud: [ISSUER],
    iat: issued,
    nbf: issued,
    exp: expiry,
    sub: `system:serviceaccount:${namespace}:${name}`,
    "kubernetes.io": { namespace, serviceaccount: { name, uid } },
  };
  const encoded = [{ alg: "RS256", typ: "JWT" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const text = encoded.join(".");
  return `${text}.${sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}
