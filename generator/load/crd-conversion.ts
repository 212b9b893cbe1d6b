/** The conversion of a definition: who turns the objects of one version into those of another. */
import type { GeneratorError } from "../errors.js";
import { grammar } from "../grammar.js";
import { parseGoUrl } from "./go-url.js";
import type { Reading } from "./reading.js";

/** @param crd of the form of a definition */
export function checkConversion(crd: Reading, report: (problem: GeneratorError) => void): void {
  if (!crd.has("spec", "conversion")) return;
  const conversion = crd.child("spec", "conversion");
  const fail = (path: string[], message: string, hint: string) => report(conversion.fail(path, message, hint));
  const strategy = conversion.at("strategy");
  if (strategy === "None") {
    if (conversion.has("webhook")) {
      fail(["webhook"], "a conversion webhook beside strategy None", "leave it out, or use strategy Webhook");
    }
  } else if (strategy === "Webhook") {
    checkReviewVersions(conversion.texts("webhook", "conversionReviewVersions"), fail);
    checkClient(conversion.child("webhook", "clientConfig"), report);
  } else {
    fail(["strategy"], `conversion strategy is ${JSON.stringify(strategy) ?? "missing"}`, "expected None or Webhook");
  }
}

function checkReviewVersions(
  versions: readonly string[],
  fail: (path: string[], message: string, hint: string) => void,
): void {
  const at = ["webhook", "conversionReviewVersions"];
  if (!versions.some((version) => version === "v1" || version === "v1beta1")) {
    fail(at, "conversionReviewVersions names neither v1 nor v1beta1", 'expected ["v1"]');
  }
  if (new Set(versions).size < versions.length) {
    fail(at, "conversionReviewVersions names a version twice", "expected each once");
  }
  const odd = versions.find((version) => grammar.version(version) !== undefined);
  if (odd !== undefined)
    fail(at, `conversionReviewVersions names ${JSON.stringify(odd)}`, "expected names of versions");
}

function checkClient(client: Reading, report: (problem: GeneratorError) => void): void {
  const fail = (path: string[], message: string, hint: string) => report(client.fail(path, message, hint));
  if (client.has("url") === client.has("service")) {
    fail([], "clientConfig needs either url or service", "expected exactly one of them");
  } else if (client.has("url")) {
    const url = client.at("url");
    if (typeof url === "string" && isHookUrl(url)) return;
    const shown = JSON.stringify(url).slice(0, 100);
    const hint = "expected https://HOST[:PORT]/PATH, without user, query and fragment";
    fail(["url"], `url ${shown} is not one that a server calls`, hint);
  } else {
    for (const field of ["name", "namespace"]) {
      if (client.text("service", field) === undefined) {
        fail(["service"], `the webhook's service has no ${field}`, "expected name and namespace");
      }
    }
    const port = client.at("service", "port") ?? 443;
    if (typeof port !== "number" || port < 1 || port > 65_535) {
      fail(["service", "port"], `port is ${port}`, "expected a number from 1 to 65535");
    }
    if (!isHookPath(client.text("service", "path") ?? "")) {
      const shown = JSON.stringify(client.at("service", "path")).slice(0, 100);
      const hint = "expected a path such as /convert, of lower case letters, digits, '-' and '.'";
      fail(["service", "path"], `path ${shown} is not one that a server calls`, hint);
    }
  }
}

function isHookUrl(text: string): boolean {
  const url = parseGoUrl(text);
  return url?.scheme === "https" && url.host !== "" && !url.hasUser && url.query === "" && url.fragment === "";
}

/** Its segments are names of DNS; a slash may end it. */
function isHookPath(path: string): boolean {
  if (path === "" || path === "/") return true;
  const segments = path.slice(1).replace(/\/$/, "").split("/");
  return path.startsWith("/") && segments.every((segment) => grammar.group(segment) === undefined);
}
