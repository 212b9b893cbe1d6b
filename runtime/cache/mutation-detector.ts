/** Keeps cached objects as they are. Counterpart: tools/cache/mutation_detector.go, which compares copies, once a second. */

const LATE = "managedFields";

/**
 * Freezes what JSON can say, all the way down. A write to it throws a TypeError that names the property, at the line that
 * writes (in strict mode, as in any module). It costs half as much again as the decoding itself.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const key in value) {
    // What decodes when it is read freezes then.
    if (key !== LATE || Object.getOwnPropertyDescriptor(value, key)?.get === undefined) deepFreeze(value[key]);
  }
  return value;
}
