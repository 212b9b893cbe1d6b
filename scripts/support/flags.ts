/** What a script is told on its command line. */
import { type ParseArgsConfig, parseArgs } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<Known extends Options> = ReturnType<typeof parseArgs<{ readonly options: Known }>>["values"];

/** `--help` shows the usage and ends the script; what it does not know ends it too, with code 2. */
export function flagsOf<Known extends Options>(usage: string, options: Known): Values<Known> {
  try {
    const { help, ...values } = parseArgs({ options: { ...options, help: { type: "boolean" } } })
      .values as Values<Known> & {
      readonly help?: boolean;
    };
    if (help !== true) return values as Values<Known>;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
