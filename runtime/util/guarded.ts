/** Functions of the user's that are told of something, and whose own failures nobody can be told of. */

/** A report that fails must not take down what it reports on: the handler, the loop or the process. */
export function guarded<Told>(report: (what: Told) => void): (what: Told) => void {
  return (what) => {
    try {
      const result: unknown = report(what);
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // There is nobody left to tell.
    }
  };
}
