/** Which namespaces are followed. Counterpart: controller-runtime's `cache.Options.DefaultNamespaces`, which is fixed at the start. */
import { InformerError } from "./informer-error.js";

/** These alone; or all but these, which are left out by the server. Give none for all. */
export type Namespaces = Iterable<string> | { readonly except: Iterable<string> };

/** As RFC 1123 has labels of DNS, in lower case; what is none could not stand in a path or a selector. */
const NAME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** Namespaces that may change while informers run: each that was given this set follows it. An empty one is no namespace. */
export class NamespaceSet extends Set<string> {
  readonly #listeners = new Set<() => void>();

  constructor(names: Iterable<string> = []) {
    super();
    for (const name of names) this.add(name);
  }

  /** @throws InformerError `usage` for what no namespace is called, as for `""`: all namespaces are followed by giving none */
  override add(name: string): this {
    if (typeof name !== "string" || !NAME.test(name)) {
      const hint =
        name === ""
          ? "for all of them give no namespaces"
          : "a name has lower case letters, digits and -, and up to 63 of them";
      throw new InformerError("usage", `${JSON.stringify(name)} is no namespace; ${hint}`);
    }
    if (this.has(name)) return this;
    super.add(name);
    this.#changed();
    return this;
  }

  override delete(name: string): boolean {
    const wasThere = super.delete(name);
    if (wasThere) this.#changed();
    return wasThere;
  }

  override clear(): void {
    for (const name of [...this]) this.delete(name);
  }

  /** Calls back after each change. The result ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
