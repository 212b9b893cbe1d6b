/** Certificates for 127.0.0.1 and for clients, written by hand: Node can sign, but has no words for X.509 (RFC 5280). */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface Certificate {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
  /** To sign others with, see {@link CertificateOptions.issuer}. */
  readonly authority: { readonly name: Buffer; readonly privateKey: KeyObject };
}

export interface CertificateOptions {
  /** To Kubernetes, of a client: the user. */
  readonly commonName?: string;
  /** To Kubernetes, of a client: a group. */
  readonly organization?: string;
  /** Without one it signs itself, and may sign others. */
  readonly issuer?: Certificate;
  readonly notAfter?: Date;
}

/** DER: a tag, a length in as few bytes as hold it, and what is inside. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(length < 0x80 ? [length] : long)]), content]);
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const bytes = (hex: string) => Buffer.from(hex, "hex");
const COMMON_NAME = bytes("0603550403");
const ORGANIZATION = bytes("060355040a");
const SUBJECT_ALT_NAME = bytes("0603551d11");
const BASIC_CONSTRAINTS = bytes("0603551d13");
const ECDSA_WITH_SHA256 = sequence(bytes("06082a8648ce3d040302"));

const attribute = (type: Buffer, value: string) => der(0x31, sequence(type, der(0x0c, Buffer.from(value))));

/** Two digits of the year before 2050, four from then on. */
function time(date: Date): Buffer {
  const text = `${date.toISOString().replace(/[-:T]|\..*/g, "")}Z`;
  return date.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}

export function certificate({
  commonName = "embedded",
  organization,
  issuer,
  notAfter = new Date("2100-01-01"),
}: CertificateOptions = {}): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const group = organization === undefined ? [] : [attribute(ORGANIZATION, organization)];
  const name = sequence(...group, attribute(COMMON_NAME, commonName));
  const address = sequence(SUBJECT_ALT_NAME, der(0x04, sequence(der(0x87, Buffer.from([127, 0, 0, 1])))));
  const isAuthority = sequence(BASIC_CONSTRAINTS, der(0x04, sequence(der(0x01, Buffer.from([0xff])))));
  const signing = issuer?.authority ?? { name, privateKey };
  const unsigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1]), randomBytes(8)),
    ECDSA_WITH_SHA256,
    signing.name,
    sequence(time(new Date("2020-01-01")), time(notAfter)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, issuer === undefined ? sequence(address, isAuthority) : sequence(address)),
  );
  const signature = sign("sha256", unsigned, signing.privateKey);
  const signed = sequence(unsigned, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature));
  const lines = signed.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    authority: { name, privateKey },
  };
}
