/**
 * One object as it travels from the stream to the handlers: the bytes that the server sent, with what the runtime itself
 * needs read from them. The object is decoded when somebody first reads it, once, for everyone. This is where the runtime
 * differs from client-go, which decodes every object of every event.
 */
import { crc32 } from "node:zlib";
import { inContext } from "../api/informer-error.js";
import type { Cached, KubernetesObject } from "../api/object-meta.js";
import type { Labels } from "../api/selectors.js";
import { findManagedFields, findValue, jsonText, OPEN_BRACE, parseJson } from "../transport/json-scan.js";
import { decodeObject, type LateText } from "./decode.js";
import { deepFreeze } from "./mutation-detector.js";
import type { Slab, SlabAllocator, SlabReader } from "./slab.js";

/** What an entry is keyed, ordered and told apart by. */
export interface EntryMeta {
  /** `namespace/name`, or `name` for a cluster-scoped object. */
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Holds either bytes or the object made from them; both only where bytes are to stay. Entries are shared and never changed for anyone to see. */
export class Entry<T extends KubernetesObject = KubernetesObject> implements EntryMeta, SlabReader, LateText {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /**
   * Where the bytes are, as long as there are any: `length` of them in `#slab`, from `#offset` on. Beside an object they are
   * those of its managedFields.
   */
  #slab: Slab | undefined;
  #offset = 0;
  #length: number;
  /** To be told when the bytes are needed no more. */
  readonly #slabs: SlabAllocator | undefined;
  #object: Cached<T> | undefined;
  /** Of the bytes, once they are gone; `undefined` also for an object that never came as bytes. */
  #checksum: number | undefined;
  /** The object, for as long as somebody holds it, where its bytes are to stay. */
  #held: WeakRef<Cached<T>> | undefined;

  private constructor(
    meta: EntryMeta,
    object: Cached<T> | undefined,
    slabs: SlabAllocator | undefined,
    length: number,
  ) {
    this.key = meta.key;
    this.uid = meta.uid;
    this.resourceVersion = meta.resourceVersion;
    this.#object = object;
    this.#slabs = slabs;
    this.#length = length;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Copies the bytes: the JSON of one object, whole or without what the allocator's owner does not want.
   * @param prefix put in place of the opening brace, for an object that does not say its own kind: `{"kind":"Pod",`
   */
  static fromBytes<T extends KubernetesObject>(
    meta: EntryMeta,
    slabs: SlabAllocator,
    bytes: Buffer,
    start = 0,
    end = bytes.length,
    prefix?: Buffer,
  ): Entry<T> {
    const from = prefix === undefined ? start : bytes.indexOf(OPEN_BRACE, start) + 1;
    const prefixLength = prefix?.length ?? 0;
    const cut = slabs.dropsManagedFields ? findManagedFields(bytes, start, end) : undefined;
    const cutLength = cut === undefined ? 0 : cut.end - cut.start;
    const entry = new Entry<T>(meta, undefined, slabs, prefixLength + end - from - cutLength);
    const slab = slabs.reserve(entry.length);
    const { buffer, used } = slab;
    prefix?.copy(buffer, used);
    bytes.copy(buffer, used + prefixLength, from, cut?.start ?? end);
    if (cut !== undefined) bytes.copy(buffer, used + prefixLength + cut.start - from, cut.end, end);
    entry.#read(slab);
    return entry;
  }

  /**
   * For an object that is there already: one that was transformed, or made in a test.
   * @param source what it was transformed from
   */
  static fromObject<T extends KubernetesObject>(meta: EntryMeta, object: Cached<T>, source?: Entry<T>): Entry<T> {
    const entry = new Entry<T>(meta, object, undefined, 0);
    entry.#checksum = source?.checksum;
    return entry;
  }

  /**
   * Whether these bytes, given to {@link fromBytes}, would make the same entry. A server may say something else under the same
   * resourceVersion: another version of it, or another webhook. Costs a comparison of bytes, or a checksum once they are gone.
   */
  isMadeOf(slabs: SlabAllocator, bytes: Buffer, start: number, end: number, prefix?: Buffer): boolean {
    const slab = this.#object === undefined ? this.#slab : undefined;
    if (slab === undefined && this.#checksum === undefined) return true;
    const from = prefix === undefined ? start : bytes.indexOf(OPEN_BRACE, start) + 1;
    const cut = slabs.dropsManagedFields ? findManagedFields(bytes, start, end) : undefined;
    const firstEnd = cut?.start ?? end;
    if (slab === undefined) {
      let checksum = prefix === undefined ? 0 : crc32(prefix);
      checksum = crc32(bytes.subarray(from, firstEnd), checksum);
      if (cut !== undefined) checksum = crc32(bytes.subarray(cut.end, end), checksum);
      return checksum === this.#checksum;
    }
    const ownEnd = this.#offset + this.#length;
    const ownFrom = this.#offset + (prefix?.length ?? 0);
    const ownCut = ownFrom + firstEnd - from;
    if (ownCut + (cut === undefined ? 0 : end - cut.end) !== ownEnd) return false;
    return (
      (prefix === undefined || slab.buffer.compare(prefix, 0, prefix.length, this.#offset, ownFrom) === 0) &&
      slab.buffer.compare(bytes, from, firstEnd, ownFrom, ownCut) === 0 &&
      (cut === undefined || slab.buffer.compare(bytes, cut.end, end, ownCut, ownEnd) === 0)
    );
  }

  /** Of the bytes that it was made from, or what it was transformed from; `undefined` where there were none. */
  get checksum(): number | undefined {
    const slab = this.#slab;
    if (slab === undefined || this.#object !== undefined) return this.#checksum;
    return crc32(slab.buffer.subarray(this.#offset, this.#offset + this.#length));
  }

  get slab(): Slab | undefined {
    return this.#slab;
  }

  move(): void {
    const old = this.#slab;
    if (old === undefined) return;
    const slab = old.owner.reserve(this.length);
    old.buffer.copy(slab.buffer, slab.used, this.#offset, this.#offset + this.length);
    this.#read(slab);
    old.owner.release(old);
  }

  /** To be called when the cache has let go of it. Who holds it still may read it. */
  discard(): void {
    this.#slab?.discard(this.#length);
  }

  /** Takes the text of managedFields to where it may stay, while the rest of the bytes goes. */
  keep(bytes: Buffer, start: number, end: number): void {
    const { rests } = this.#slabs!;
    this.#length = end - start;
    const slab = rests.reserve(this.#length);
    bytes.copy(slab.buffer, slab.used, start, end);
    this.#read(slab);
  }

  take(): string {
    const slab = this.#slab!;
    const text = jsonText(slab.buffer, this.#offset, this.#offset + this.#length);
    this.#slab = undefined;
    slab.owner.release(slab);
    return text;
  }

  get namespace(): string {
    const slash = this.key.indexOf("/");
    return slash === -1 ? "" : this.key.slice(0, slash);
  }

  get name(): string {
    return this.key.slice(this.key.indexOf("/") + 1);
  }

  /**
   * The object. The first read decodes it and lets the bytes go; later reads cost nothing. Where bytes are to stay, a later
   * read gives the same object as long as somebody holds it.
   * @throws InformerError `decode` when the server sent something that is not JSON after all
   */
  get object(): Cached<T> {
    if (this.#object !== undefined) return this.#object;
    const slab = this.#slab!;
    if (slab.owner.keepsBytes) return this.#hold(slab);
    this.#checksum = this.checksum;
    this.#object = this.#decode(slab, this);
    if (this.#slab === slab) this.#slab = undefined;
    slab.owner.release(slab);
    return this.#object;
  }

  /** For who knows that it will be read. That it cannot be decoded is for its readers to say. */
  decodeEarly(): void {
    try {
      void this.object;
    } catch {
      // The bytes stay as they are.
    }
  }

  /** Whether reading {@link object} costs nothing. */
  get isDecoded(): boolean {
    return this.#object !== undefined || this.#held?.deref() !== undefined;
  }

  /** The labels, without decoding the rest of the object. */
  get labels(): Labels | undefined {
    const slab = this.#slab;
    if (slab === undefined || this.#object !== undefined)
      return (this.object.metadata?.labels ?? undefined) as Labels | undefined;
    const bytes = slab.copyOf(this.#offset, this.#length);
    const metadata = findValue(bytes, 0, this.#length, "metadata");
    const labels = metadata && findValue(bytes, metadata.start, metadata.end, "labels");
    return labels && ((parseJson(bytes, labels.start, labels.end) ?? undefined) as Labels | undefined);
  }

  /** The bytes lie at the end of what is used of the slab: they are this entry's from now on. */
  #read(slab: Slab): void {
    this.#slab = slab;
    this.#offset = slab.used;
    slab.used += this.length;
    slab.readers++;
  }

  #hold(slab: Slab): Cached<T> {
    let object = this.#held?.deref();
    if (object === undefined) {
      object = this.#decode(slab);
      this.#held = new WeakRef(object);
    }
    return object;
  }

  #decode(slab: Slab, late?: LateText): Cached<T> {
    try {
      const bytes = slab.copyOf(this.#offset, this.#length);
      const object = decodeObject(bytes, 0, this.#length, late) as Cached<T>;
      return this.#slabs?.freeze === true ? deepFreeze(object) : object;
    } catch (error) {
      throw inContext(error, this.key);
    }
  }
}
