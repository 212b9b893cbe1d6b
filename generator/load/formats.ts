/** The formats of texts that a server checks, as it checks them; of the others it takes any text. */
import { isIPv4, isIPv6 } from "node:net";
import { matches } from "./crd-pattern.js";
import { isDate } from "./forms.js";
import { parseGoUrl } from "./go-url.js";

type Check = (text: string) => boolean;

const like =
  (pattern: RegExp): Check =>
  (text) =>
    pattern.test(text);

const word = String.raw`[a-zA-Z0-9\p{S}\p{L}]`;
const hostname = String.raw`^(${word}((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)|(${word}(([a-zA-Z0-9-\p{S}\p{L}]{0,61}${word})?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$`;
const label = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\x80-\\u{10ffff}-]+";
const address = `(?:${atom}(?:\\.${atom})*|"[^"\\\\]*")@(?:${atom}(?:\\.${atom})*|\\[[^\\]]*\\])`;
const byte = "(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])";

/** By the name that is left without its dashes. */
const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["bsonobjectid", like(/^[0-9a-fA-F]{24}$/)],
  ["byte", like(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/)],
  ["cidr", isCidr],
  ["creditcard", isCreditCard],
  ["date", isDate],
  ["datetime", isDateTime],
  ["duration", isDuration],
  ["email", like(new RegExp(`^\\s*(?:${address}|[^<>]*<${address}>)\\s*$`, "u"))],
  ["hexcolor", like(/^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ["hostname", (text) => text.split(".").every((part) => part.length <= 63) && matches(hostname, text)],
  ["ipv4", (text) => text.includes(".") && isIp(text)],
  ["ipv6", (text) => isIPv6(text) && !text.includes("%")],
  ["isbn", (text) => isIsbn10(text) || isIsbn13(text)],
  ["isbn10", isIsbn10],
  ["isbn13", isIsbn13],
  ["k8slongname", (text) => text.length <= 253 && new RegExp(`^${label}(?:\\.${label})*$`).test(text)],
  ["k8sshortname", (text) => text.length <= 63 && new RegExp(`^${label}$`).test(text)],
  ["mac", isMac],
  ["rgbcolor", like(new RegExp(`^rgb\\(\\s*${byte}\\s*,\\s*${byte}\\s*,\\s*${byte}\\s*\\)$`))],
  ["ssn", like(/^(?=.{11}$)\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ["uri", (text) => parseGoUrl(text, true) !== undefined],
  ["uuid", like(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
  ["uuid3", like(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
  ["uuid4", like(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ["uuid5", like(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
]);

/** Whether a text has a format, or the format is none that a server checks. */
export function hasFormat(text: string, format: string): boolean {
  return checks.get(format.replaceAll("-", ""))?.(text) ?? true;
}

/** Leading zeros are passed over, as Go did once. */
function isIp(text: string): boolean {
  const plain = text.replace(/(^|[.:])0+(?=\d+(?:\.|$))/g, "$1");
  return isIPv4(plain) || (isIPv6(text) && !text.includes("%"));
}

function isCidr(text: string): boolean {
  const [, host = "", bits = ""] = /^([^/]*)\/(\d+)$/.exec(text) ?? [];
  return isIp(host) && Number(bits) <= (host.includes(":") ? 128 : 32);
}

function isMac(text: string): boolean {
  const bytes = text.replace(/[:.-]/g, "").length / 2;
  const isWritten =
    /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2})*$/i.test(text) || /^[0-9a-f]{4}(?:\.[0-9a-f]{4})+$/i.test(text);
  return isWritten && [6, 8, 20].includes(bytes);
}

function isDateTime(text: string): boolean {
  const [date = "", time = ""] = text.toLowerCase().split("t");
  const [, hour = "99", minute = "", second = ""] =
    /^(\d{2}):(\d{2}):(\d{2})(?:.[0-9]+)?(?:z|[+-]\d{2}:\d{2})$/.exec(time) ?? [];
  return isDate(date) && hour <= "23" && minute <= "59" && second <= "59";
}

const units = "ns|nano.*|us|µs|micro.*|ms|milli.*|s|sec.*|m|min.*|h|hr|hour.*|d|day.*|w|wk|week.*";

/** Go's own, or that of Scala: any number with a unit, anywhere. */
function isDuration(text: string): boolean {
  if (/^[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|[µμ]s|ms|s|m|h))+)$/.test(text)) return true;
  const found = text.matchAll(/\d+\s*([A-Za-zµ]+)/g);
  return [...found].some(([, unit = ""]) => new RegExp(`^(?:${units})$`, "i").test(unit));
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/\D+/g, "");
  const issued =
    /^(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35\d{3})\d{11})$/;
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return issued.test(digits) && sum % 10 === 0;
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, "");
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce((total, digit, at) => total + (at + 1) * (digit === "X" ? 10 : Number(digit)), 0);
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]+/g, "");
  const sum = [...digits].reduce((total, digit, at) => total + (at % 2 === 0 ? 1 : 3) * Number(digit), 0);
  return /^\d{13}$/.test(digits) && sum % 10 === 0;
}
