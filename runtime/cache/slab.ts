/**
 * Where the bytes of undecoded entries lie: packed into large buffers off the JavaScript heap. One small buffer for each entry
 * would cost more time than copying it, and make the garbage collector run for memory that it does not manage.
 */

/**
 * An ArrayBuffer that may be resized lies in pages of its own, which go back to the system when it goes. One that may not lies
 * among what is read from sockets, where it keeps the room of what is gone from going back: 25 MB beside 60 MB of slabs.
 */
interface PagedBuffer extends ArrayBuffer {
  resize(length: number): void;
}
const PagedBuffer = ArrayBuffer as unknown as new (
  length: number,
  options: { readonly maxByteLength: number },
) => PagedBuffer;

/** Sizes in bytes. A kind with three objects must not cost a large slab; a large cache must not have thousands. */
const FIRST_SLAB = 8 * 1024;
const LARGEST_SLAB = 512 * 1024;

/**
 * Pages of slabs that the collector has found to be garbage. What is not used again goes when it runs the next time: a cache where
 * nothing changes holds none. Having the system clear fresh pages takes a third of what an event costs.
 */
const reusable: WeakRef<PagedBuffer>[] = [];
/** 64 MiB: about what V8 lets come together between two runs. */
const MOST_REUSABLE = 128;
const garbage = new FinalizationRegistry<PagedBuffer>((pages) => {
  if (reusable.length < MOST_REUSABLE) reusable.push(new WeakRef(pages));
  else pages.resize(0);
});

function pagesOf(length: number): PagedBuffer {
  while (length === LARGEST_SLAB && reusable.length > 0) {
    const pages = reusable.pop()!.deref();
    if (pages !== undefined) return pages;
  }
  return new PagedBuffer(length, { maxByteLength: length });
}

/** What is scanned is copied here first, where a byte loop is twice as fast: V8 asks a resizable buffer for its end at each byte. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** A buffer that is filled from the front. It is never written again while an entry still reads from it. */
export class Slab {
  readonly buffer: Buffer;
  readonly owner: SlabAllocator;
  readonly #pages: PagedBuffer;
  /** Bytes taken so far. */
  used = 0;
  /** Entries that read from it, counting those that are garbage: they cannot be told from the others. */
  readers = 0;
  /** Bytes that a cache holds here, as the last compaction found them. */
  live = 0;

  constructor(owner: SlabAllocator, length: number) {
    this.owner = owner;
    this.#pages = pagesOf(length);
    if (length === LARGEST_SLAB) garbage.register(this, this.#pages, this);
    this.buffer = Buffer.from(this.#pages, 0, length);
  }

  /** Gives its memory back at once: the collector, which does not know how much it is, may take its time. */
  free(): void {
    garbage.unregister(this);
    this.#pages.resize(0);
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

  /** Whether enough was written for {@link compact} to be worth its time. */
  get wantsCompaction(): boolean {
    return this.#written >= this.#compactionAfter || this.#rests?.wantsCompaction === true;
  }

  /** Moves what a cache holds in slabs that are mostly garbage, so that the collector can free them. */
  compact(cached: () => Iterable<SlabReader>): void {
    let live = 0;
    for (const { slab } of cached()) if (slab !== undefined) slab.live = 0;
    for (const { slab, length } of cached()) {
      if (slab === undefined) continue;
      slab.live += length;
      live += length;
    }
    for (const reader of cached()) {
      const { slab } = reader;
      if (slab !== undefined && slab !== slab.owner.#current && slab.live * 2 < slab.buffer.length) reader.move();
    }
    this.#compacted(live);
    if (this.#rests !== undefined) this.#rests.#compacted(live);
  }

  #compacted(live: number): void {
    this.#written = 0;
    this.#compactionAfter = Math.max(COMPACTION_AFTER, live);
  }

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
