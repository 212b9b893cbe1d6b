/** What a conformance script is: data that both implementations are run by. The scripts themselves are in ../scripts.ts. */

/** How an informer is made; what is absent is off. */
export interface InformerSetup {
  /** Metadata in place of objects. */
  readonly metadata?: boolean;
  readonly namespace?: string;
  /** `app=…` alone. */
  readonly labelSelector?: string;
  /** `metadata.name!=…` alone: the settling object must pass. */
  readonly fieldSelector?: string;
  readonly resyncMs?: number;
  /** Takes `data` away. */
  readonly transform?: boolean;
}

export interface ServerSetup {
  /** Whether it does streaming lists; else it answers them with 422. */
  readonly streaming?: boolean;
  /** Whether each watch is given a change and ends at once. */
  readonly flapping?: boolean;
  /** Objects in a page, for a server that pages at any resourceVersion. */
  readonly pageLength?: number;
}

export type Verb = "list" | "watch" | "watchList";

/** In place of the server's own answer, once. */
export type Fault =
  | { readonly status: number; readonly reason?: string; readonly cause?: string }
  /** A stream of these lines, which ends after them or stays open. */
  | { readonly lines: readonly string[]; readonly end?: "clean" | "reset" }
  | "reset"
  | "silence";

export type Step =
  | { readonly do: "write"; readonly key: string; readonly app?: string; readonly note?: string }
  | { readonly do: "remove"; readonly key: string }
  /** Deleted, and made again with another uid. */
  | { readonly do: "recreate"; readonly key: string }
  | { readonly do: "bookmark" }
  /** The server forgets what was before. */
  | { readonly do: "compact" }
  | { readonly do: "fault"; readonly on: Verb; readonly fault: Fault }
  /** Ends the open watches. */
  | {
      readonly do: "end";
      readonly how: "clean" | "reset" | "truncated" | { readonly status: number; readonly reason?: string };
    }
  /** A line in all open watches, as it is. */
  | { readonly do: "send"; readonly line: string }
  | { readonly do: "handler"; readonly name: string; readonly resyncMs?: number; readonly filter?: string }
  | { readonly do: "unhandle"; readonly name: string }
  | { readonly do: "index" }
  | { readonly do: "start" }
  | { readonly do: "stop" }
  /** Until every handler knows what the server has, and a watch is open. */
  | { readonly do: "settle" }
  /** Until the server has seen so many requests in all. */
  | { readonly do: "requests"; readonly count: number }
  /** Until a handler has been told of so much in all. */
  | { readonly do: "events"; readonly name: string; readonly count: number }
  | { readonly do: "pass"; readonly ms: number };

/** What is seen of an implementation by a script. */
export interface Outcome {
  readonly requests: readonly string[];
  readonly handlers: Readonly<Record<string, readonly string[]>>;
  readonly synced: boolean;
  readonly handlersSynced: Readonly<Record<string, boolean>>;
  /** `a@101 uid-a app=x note=y`, sorted. */
  readonly store: readonly string[];
  readonly index?: Readonly<Record<string, readonly string[]>>;
}

/** Where ours does otherwise on purpose. */
export interface Difference {
  /** Of runtime/SPEC.md. */
  readonly rule: string;
  readonly why: string;
  /** What client-go's outcome becomes. */
  readonly ours: (theirs: Outcome) => Outcome;
}

export interface Script {
  /** A sentence. */
  readonly name: string;
  readonly informer?: InformerSetup;
  readonly server?: ServerSetup;
  readonly steps: readonly Step[];
  readonly differs?: readonly Difference[];
}

export function fileNameOf({ name }: Script): string {
  return `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.json`;
}
