/**
 * What a plain scalar means to Kubernetes' own YAML reader: YAML 1.1, as far as that reader goes. `on`, `y` and `no` are
 * booleans and `0755` is octal, also as a key; dates and `1:30` stay texts.
 */
const words: ReadonlyMap<string, boolean | null> = new Map([
  ...["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"].map((word) => [word, false] as const),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
]);

const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

const integers: readonly (readonly [pattern: RegExp, base: number])[] = [
  [/^([-+]?)0[bB]([01]+)$/, 2],
  [/^([-+]?)0[xX]([0-9a-fA-F]+)$/, 16],
  [/^([-+]?)0[oO]?([0-7]+)$/, 8],
  [/^([-+]?)(0|[1-9][0-9]*)$/, 10],
];

export function plainScalar(text: string): string | number | boolean | null {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return text;
  const digits = text.replaceAll("_", "");
  for (const [pattern, base] of integers) {
    const [, sign, number] = pattern.exec(digits) ?? [];
    if (number !== undefined) return (sign === "-" ? -1 : 1) * Number.parseInt(number, base) || 0;
  }
  const number = float.test(digits) && !/^[-+]?\.?_/.test(text) ? Number(digits) : Number.NaN;
  return Number.isFinite(number) ? number : text;
}
