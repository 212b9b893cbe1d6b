/**
 * Kubernetes' own grammar of names (apimachinery `util/validation`, apiextensions `validation`). Nothing that fails it becomes
 * an identifier, a path, or a question to a server.
 */

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const labelFromLetter = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

type Check = (name: string) => string | undefined;

function labelCheck(pattern: RegExp, expected: string): Check {
  return (name) => (name.length <= 63 && pattern.test(name) ? undefined : expected);
}

const dnsLabel = labelCheck(
  labelFromLetter,
  "lower case letters, digits and '-', beginning with a letter, ending with a letter or digit, at most 63 characters",
);

/** A server limits the whole, and not each label. */
function group(name: string): string | undefined {
  return name.length <= 253 && name.split(".").every((step) => label.test(step))
    ? undefined
    : "a DNS name in lower case, at most 253 characters, such as stable.example.com";
}

const part = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** `name` or `prefix/name`, of labels, annotations and finalizers. */
function qualifiedName(text: string): string | undefined {
  const steps = text.split("/");
  const name = steps.at(-1)!;
  const prefix = steps.length === 2 ? steps[0] : undefined;
  return steps.length <= 2 &&
    (prefix === undefined || group(prefix) === undefined) &&
    name.length <= 63 &&
    part.test(name)
    ? undefined
    : "a name such as app or example.com/app";
}

/** Each says what was expected when a name does not fit. */
export const grammar = {
  group,
  qualifiedName,
  labelValue: (text: string) =>
    text === "" || (text.length <= 63 && part.test(text))
      ? undefined
      : "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit, at most 63 characters",
  version: dnsLabel,
  plural: dnsLabel,
  kind: (name: string) =>
    name.length <= 63 && /^[A-Za-z0-9-]*$/.test(name) && labelFromLetter.test(name.toLowerCase())
      ? undefined
      : "letters, digits and '-', beginning with a letter, ending with a letter or digit, at most 63 characters",
  /** The group of a CustomResourceDefinition has a dot; those without one are Kubernetes' own. */
  customGroup: (name: string) =>
    group(name) ?? (name.includes(".") ? undefined : "a domain with at least one dot, such as stable.example.com"),
};
