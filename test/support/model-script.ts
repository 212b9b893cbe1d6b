/** What happens in a run of the model: of the server, on the way to it, and with the handlers, in any order. */
import fc from "fast-check";
import type { Manner } from "./follower.js";

/** What is followed at first, where namespaces are. */
export const FIRST_NAMESPACE = "ns";

const namespace = fc.constantFrom("ns", "other", "constructor");
export const KEYS = ["ns/a", "ns/b", "other/a", "constructor", "constructor/a", "ns/__proto__"] as const;
const key = fc.constantFrom(...KEYS);
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("write" as const), key }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("delete" as const), key }) },
  // Thirty changes; or one while nobody watches, which history does not hold any more when somebody does again.
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("burst" as const, "expire" as const), key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(0, 0, 500, 5_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("join" as const),
      manner: fc.oneof(
        {
          weight: 20,
          arbitrary: fc.constantFrom<Manner>("quick", "coalesce", "block", "hold", "dam", "throw", "reject", "leave"),
        },
        { weight: 1, arbitrary: fc.constant<Manner>("stop") },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom(
        "break" as const,
        "end" as const,
        "compact" as const,
        "bookmark" as const,
        "refuse" as const,
        "lag" as const,
        "flap" as const,
        "leave" as const,
      ),
    }),
  },
);
/** A namespace that is followed is let go, another is followed; one is forbidden, or allowed again. */
const ofNamespace = fc.record({
  type: fc.constantFrom("turn" as const, "turn" as const, "forbid" as const),
  namespace,
});

export function scripts(byNamespaces: boolean) {
  const commands = byNamespaces
    ? fc.oneof({ weight: 5, arbitrary: command }, { weight: 1, arbitrary: ofNamespace })
    : command;
  return fc.record({
    byNamespaces: fc.constant(byNamespaces),
    streaming: fc.boolean(),
    queue: fc.constantFrom("DeltaFIFO" as const, "RealFIFO" as const),
    retention: fc.constantFrom("object" as const, "bytes" as const),
    /** What is there at first. */
    initial: fc.subarray([...KEYS]),
    /** Everything that is done in slices is done in the smallest ones. */
    slices: fc.boolean(),
    /** Stopped there and then, and not when all is at rest. */
    stopsEarly: fc.boolean(),
    commands: fc.array(commands, { maxLength: 60 }),
  });
}
export type Script = ReturnType<typeof scripts> extends fc.Arbitrary<infer Value> ? Value : never;
