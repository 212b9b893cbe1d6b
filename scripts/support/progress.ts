/** Steps as lines; on a terminal also the state of the current one, in a line that overwrites itself. */
import type { Progress } from "../../test/cluster/support/binaries.js";

export function terminalProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const clear = stream.isTTY ? "\r\u001b[2K" : "";
  return {
    step: (text) => {
      stream.write(`${clear}${text}\n`);
    },
    status: (text) => {
      if (stream.isTTY) stream.write(`${clear}${text.slice(0, (stream.columns || 80) - 1)}`);
    },
  };
}
