import { gzipSync } from "node:zlib";
import type { ResponseBody } from "../../runtime/transport/transport.js";

/** All that is left of a body, as text. */
export async function readAll(body: ResponseBody): Promise<string> {
  const parts: Buffer[] = [];
  for (let chunk = await body.read(); chunk !== undefined; chunk = await body.read()) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts).toString();
}

export function gzipped(text: string): Buffer {
  return gzipSync(text);
}

/** More than all buffers between a server and a reader hold, no two parts of it alike. */
export function someMegabytes(name: string): string {
  return Array.from({ length: 200_000 }, (_, i) => `${name} ${i}\n`).join("");
}
