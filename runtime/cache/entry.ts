/**
 * One object as it travels from the stream to the handlers: the bytes that the server sent, with what the runtime itself
 * needs read from them. The object is decoded when somebody first reads it, once, for everyone. This is where the runtime
 * differs from client-go, which decodes every object of every event.
 */
import { InformerError } from "../api/informer-error.js";
import type { Cached, KubernetesObject } from "../api/object-meta.js";
import type { Labels } from "../api/selectors.js";
import { findValue, parseJson } from "../transport/json-scan.js";

/** What an entry is keyed, ordered and told apart by. */
export interface EntryMeta {
  /** `namespace/name`, or `name` for a cluster-scoped object. */
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Holds either bytes or the object made from them, never both. Entries are shared and never changed for anyone to see. */
export class Entry<T extends KubernetesObject = KubernetesObject> implements EntryMeta {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  #bytes: Buffer | undefined;
  #object: Cached<T> | undefined;

  private constructor(meta: EntryMeta, bytes: Buffer | undefined, object: Cached<T> | undefined) {
    this.key = meta.key;
    this.uid = meta.uid;
    this.resourceVersion = meta.resourceVersion;
    this.#bytes = bytes;
    this.#object = object;
  }

  /** Takes ownership of the bytes: the JSON of the object, whole, in a buffer that nobody else changes. */
  static fromBytes<T extends KubernetesObject>(meta: EntryMeta, bytes: Buffer): Entry<T> {
    return new Entry<T>(meta, bytes, undefined);
  }

  /** For an object that is there already: one that was transformed, or made in a test. */
  static fromObject<T extends KubernetesObject>(meta: EntryMeta, object: Cached<T>): Entry<T> {
    return new Entry<T>(meta, undefined, object);
  }

  get namespace(): string {
    const slash = this.key.indexOf("/");
    return slash === -1 ? "" : this.key.slice(0, slash);
  }

  get name(): string {
    return this.key.slice(this.key.indexOf("/") + 1);
  }

  /**
   * The object. The first read decodes it and lets the bytes go; later reads cost nothing.
   * @throws InformerError `decode` when the server sent something that is not JSON after all
   */
  get object(): Cached<T> {
    if (this.#object === undefined) {
      this.#object = this.#decode();
      this.#bytes = undefined;
    }
    return this.#object;
  }

  /** Whether {@link object} has been read. */
  get isDecoded(): boolean {
    return this.#object !== undefined;
  }

  /** The labels, without decoding the rest of the object. */
  get labels(): Labels | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined) return this.object.metadata?.labels as Labels | undefined;
    const metadata = findValue(bytes, 0, bytes.length, "metadata");
    const labels = metadata && findValue(bytes, metadata.start, metadata.end, "labels");
    return labels && (parseJson(bytes, labels.start, labels.end) as Labels);
  }

  #decode(): Cached<T> {
    try {
      return parseJson(this.#bytes!) as Cached<T>;
    } catch (error) {
      throw new InformerError("decode", `${this.key}: ${(error as Error).message}`, { cause: error });
    }
  }
}
