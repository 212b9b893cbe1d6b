import fc from "fast-check";

/** The bytes in pieces: cut at each of the positions. */
export function cutAt(bytes: Buffer, positions: readonly number[]): Buffer[] {
  const ends = [...new Set(positions.map((at) => at % (bytes.length + 1))), bytes.length].sort((a, b) => a - b);
  let start = 0;
  return ends.map((end) => {
    const part = Buffer.from(bytes.subarray(start, end));
    start = end;
    return part;
  });
}

/** Every way to cut the bytes in two. */
export function everyCut(bytes: Buffer): Buffer[][] {
  return Array.from({ length: bytes.length + 1 }, (_, at) => cutAt(bytes, [at]));
}

/** Positions for {@link cutAt}. */
export const anyCuts: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 5000 }), { maxLength: 12 });
