/**
 * Where the bytes of undecoded entries lie: packed into large buffers off the JavaScript heap. One small buffer for each entry
 * would cost more time than copying it, and make the garbage collector run for memory that it does not manage.
 */
import { discard, freePages, LARGEST_SLAB, type Pages, pagesFor } from "./slab-pages.js";

/** In bytes. A kind with three objects must not cost a large slab. */
const FIRST_SLAB = 8 * 1024;

/** What is scanned is copied here first, where a byte loop is twice as fast: V8 asks a resizable buffer for its end at each byte. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** A buffer that is filled from the front. It is never written again while an entry still reads from it. */
export class Slab {
  readonly buffer: Buffer;
  readonly owner: SlabAllocator;
  readonly #pages: Pages;
  /** Bytes taken so far. */
  used = 0;
  /** Entries that read from it, counting those that are garbage: they cannot be told from the others. */
  readers = 0;
  /** Bytes that a cache holds here, as the last compaction found them; until then as good as full. */
  live = Number.POSITIVE_INFINITY;

  constructor(owner: SlabAllocator, length: number) {
    this.owner = owner;
    this.#pages = pagesFor(this, length);
    this.buffer = Buffer.from(this.#pages as ArrayBuffer, 0, length);
  }

  /** Nobody reads from it any more, nor will. */
  free(): void {
    freePages(this.#pages, this);
  }

  /** An entry that reads so many bytes of it is cached no more: it is not read from for long. */
  discard(length: number): void {
    discard(this.#pages, length);
  }

  /** A copy, to be scanned from its beginning; good until the next one, of any slab. */
  copyOf(offset: number, length: number): Buffer {
    const bytes = length > scratch.length ? Buffer.allocUnsafeSlow(length) : scratch;
    this.buffer.copy(bytes, 0, offset, offset + length);
    return bytes;
  }
}

/** A cache is looked through for sparse slabs once this much was written, or as much as it held the last time. */
const COMPACTION_AFTER = 16 * 1024 * 1024;

/** Something that reads bytes of a slab. */
export interface SlabReader {
  /** Where it reads from; `undefined` once it needs no bytes any more. */
  readonly slab: Slab | undefined;
  /** Bytes that it reads. */
  readonly length: number;
  /** To another place with the same owner. */
  move(): void;
}

/** What a cache keeps of an object. */
export interface RetentionOptions {
  /**
   * `"object"`, the default: what was read once stays decoded. `"bytes"`: what nobody holds is given up, and decoded again
   * when it is read again; for a cache that is large and rarely read.
   */
  readonly retention?: "object" | "bytes" | undefined;
  /** `"drop"` leaves `metadata.managedFields` out of what is kept and decoded: a third of a Pod. */
  readonly managedFields?: "keep" | "drop" | undefined;
}

/** The slabs of one informer. */
export class SlabAllocator {
  /** Whether objects are frozen when they are decoded from here. */
  freeze = false;
  readonly keepsBytes: boolean;
  readonly dropsManagedFields: boolean;
  #current = new Slab(this, FIRST_SLAB);
  /** One slab that is known to have no reader: a cache whose objects are all read goes on in the same two. */
  #spare: Slab | undefined;
  #rests: SlabAllocator | undefined;
  #written = 0;
  /** Bytes that the cache holds, as the last compaction found them. */
  #live = 0;
  #compactionAfter = COMPACTION_AFTER;

  constructor({ retention, managedFields }: RetentionOptions = {}) {
    this.keepsBytes = retention === "bytes";
    this.dropsManagedFields = managedFields === "drop";
  }

  /** A slab with room for so many bytes at its `used`. The caller takes them at once. */
  reserve(length: number): Slab {
    this.#written += length;
    if (this.#current.used + length > this.#current.buffer.length) this.#next(length);
    return this.#current;
  }

  /** To be told when an entry needs its bytes no more. */
  release(slab: Slab): void {
    if (--slab.readers > 0) return;
    slab.used = 0;
    if (slab === this.#current) return;
    if (this.#spare === undefined && slab.buffer.length === LARGEST_SLAB) this.#spare = slab;
    else slab.free();
  }

  /** For what stays in bytes of decoded objects: beside bytes that go it would keep their slabs from being used again. */
  get rests(): SlabAllocator {
    this.#rests ??= new SlabAllocator();
    return this.#rests;
  }

  /** Whether enough was written for {@link compacting} to be worth its time. */
  get wantsCompaction(): boolean {
    return this.#written >= this.#compactionAfter;
  }

  /**
   * Moves what a cache holds in slabs that are mostly garbage, so that the collector can free them; one entry a step. What is
   * written or read in between may be counted wrongly, so that something is moved for nothing, or not yet.
   */
  *compacting(cached: () => Iterable<SlabReader>): Generator<undefined, void> {
    this.#live = 0;
    // One loop for all passes: V8 compiles a generator anew with each loop that it comes to.
    for (const pass of this.#passes) {
      for (const reader of cached()) {
        if (reader.slab !== undefined) pass(reader, reader.slab);
        yield;
      }
    }
    this.#written = 0;
    this.#compactionAfter = Math.max(COMPACTION_AFTER, this.#live);
  }

  readonly #passes = [
    (_: SlabReader, slab: Slab): void => {
      slab.live = 0;
    },
    ({ length }: SlabReader, slab: Slab): void => {
      slab.live += length;
      this.#live += length;
    },
    (reader: SlabReader, slab: Slab): void => {
      if (slab !== slab.owner.#current && slab.live * 2 < slab.buffer.length) reader.move();
    },
  ];

  #next(length: number): void {
    if (this.#spare !== undefined && length <= this.#spare.buffer.length) {
      this.#current = this.#spare;
      this.#spare = undefined;
      return;
    }
    const doubled = Math.min(this.#current.buffer.length * 2, LARGEST_SLAB);
    this.#current = new Slab(this, Math.max(doubled, length));
  }
}
