/** Order of resourceVersions. Counterpart: apimachinery `util/resourceversion`. */

/**
 * Compares two resourceVersions of one resource as decimal numbers of any length (KEP-5504; never `Number()`: they pass 2^53).
 * Returns below, at or above 0; `undefined` when either is not a plain decimal number, as some aggregated APIs send, and
 * nothing can be said of their order.
 */
export function compareResourceVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!isDecimal(a) || !isDecimal(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}

function isDecimal(text: string): boolean {
  return /^[1-9][0-9]*$/.test(text) || text === "0";
}
