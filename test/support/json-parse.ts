import { onTestFinished, vi } from "vitest";

/** The texts that are given to JSON.parse from now on until the test is finished. */
export function spyOnJsonParse(): string[] {
  const texts: string[] = [];
  const parse = JSON.parse;
  const spy = vi.spyOn(JSON, "parse").mockImplementation((text, reviver) => {
    texts.push(text);
    return parse(text, reviver);
  });
  onTestFinished(() => spy.mockRestore());
  return texts;
}
