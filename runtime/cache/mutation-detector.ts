/** Keeps cached objects as they are. Counterpart: tools/cache/mutation_detector.go, which compares copies, once a second. */

const LATE = "managedFields";

/**
 * Freezes what JSON can say, all the way down. A write to it throws a TypeError that names the property, at the line that
 * writes (in strict mode, as in any module). It costs half as much again as the decoding itself.
 */
export function deepFreeze<T>(value: T): T {
  // Not by calling itself: what a server sends may be nested deeper than the stack.
  const waiting: unknown[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (!isObject(next) || Object.isFrozen(next)) continue;
    Object.freeze(next);
    for (const key in next) {
      // What decodes when it is read freezes then.
      if (key === LATE && Object.getOwnPropertyDescriptor(next, key)?.get !== undefined) continue;
      const member = next[key];
      if (isObject(member)) waiting.push(member);
    }
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
