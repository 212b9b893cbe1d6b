/** The memory of slabs: how it comes from the system, is used again, and goes back. One for all informers of a process. */
import { node } from "../util/node-modules.js";

/**
 * A buffer that may be resized lies in pages of its own, which go back to the system when it goes. One that may not lies
 * among what is read from sockets, where it keeps the room of what is gone from going back: 25 MB beside 60 MB of slabs.
 */
interface PagedBuffer extends ArrayBuffer {
  resize(length: number): void;
}
/** One that is shared V8 does not count, and its memory cannot be given back before it is collected. */
export type Pages = PagedBuffer | SharedArrayBuffer;
type Paged<Kind> = new (length: number, options: { readonly maxByteLength: number }) => Kind;

/** Bytes of the largest slab. A large cache must not have thousands. */
export const LARGEST_SLAB = 512 * 1024;

/**
 * V8 looks through its whole heap for garbage whenever what it counts of buffers has grown by some 64 MB. From this size of the
 * heap on, in bytes, that is dear: slabs are not counted then, and V8 is told of those that are garbage.
 */
const LARGE_HEAP = 128 * 1024 * 1024;
const heapBytes = (): number => node.v8.getHeapStatistics().used_heap_size;

/**
 * Pages of slabs that the collector has found to be garbage. What is not used again goes when it runs the next time: a cache where
 * nothing changes holds none. Having the system clear fresh pages takes a third of what an event costs.
 */
const reusable: WeakRef<Pages>[] = [];
/** 64 MiB: about what V8 lets come together between two runs. */
const MOST_REUSABLE = 128;
const collected = new FinalizationRegistry<Pages>((pages) => {
  if (reusable.length < MOST_REUSABLE) reusable.push(new WeakRef(pages));
  else freePages(pages);
});

/** @param slab while it is there, nobody else is given them */
export function pagesFor(slab: object, length: number): Pages {
  const pages = pagesOf(length);
  if (length === LARGEST_SLAB) collected.register(slab, pages, slab);
  return pages;
}

function pagesOf(length: number): Pages {
  while (length === LARGEST_SLAB && reusable.length > 0) {
    const pages = reusable.pop()!.deref();
    if (pages !== undefined) return pages;
  }
  const isCounted = length < LARGEST_SLAB || heapBytes() < LARGE_HEAP;
  const Kind = (isCounted ? ArrayBuffer : SharedArrayBuffer) as unknown as Paged<Pages>;
  return new Kind(length, { maxByteLength: length });
}

/**
 * Gives the memory back, at once if it can: the collector may take its time.
 * @param slab that they were of, if it is there still
 */
export function freePages(pages: Pages, slab?: object): void {
  if ("resize" in pages) {
    if (slab !== undefined) collected.unregister(slab);
    pages.resize(0);
  } else {
    discard(pages, pages.byteLength);
    tellOfGarbage();
  }
}

/** Bytes that V8 does not count and that are needed no more. */
let garbage = 0;
/** How many of them are worth a look at how large the heap is: it is not free, and there is one for each item. */
let worthALook = LARGE_HEAP / 2;

/** So many bytes of these pages are needed no more. */
export function discard(pages: Pages, length: number): void {
  if (!("resize" in pages)) garbage += length;
}

/** Has V8 look for garbage once there is half as much of what it does not count as there is heap to look through. */
export function tellOfGarbage(): void {
  if (garbage < worthALook) return;
  if (garbage < heapBytes() / 2) {
    worthALook = garbage + LARGE_HEAP / 16;
    return;
  }
  // Memory that V8 counts and nobody touches: it takes no room.
  new ArrayBuffer(Math.min(garbage, LARGE_HEAP));
  garbage = 0;
  worthALook = LARGE_HEAP / 2;
}
