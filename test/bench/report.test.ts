import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BenchReport } from "./report.js";
import { mediansOf } from "./table.js";
import { judge } from "./verdicts.js";

const verdict = (asked: string, results: Parameters<typeof judge>[0]) =>
  judge(results).find((one) => one.asked === asked);

test("medians are of every number that was printed, and of what follows from them", () => {
  const run = (syncMs: number) => ({
    client: "a",
    count: 1024,
    baseRssMiB: 10,
    settledRssMiB: 14,
    peakRssMiB: 21,
    syncMs,
  });
  const { a } = mediansOf(new Map([["a", [run(3), run(1), run(2)]]]));
  expect(a).toMatchObject({ syncMs: 2, kibPerObject: 4, peakRatio: 1.5 });
  expect(a).not.toHaveProperty("client");
  expect(a?.["readKibPerObject"]).toBeUndefined();
});

test("a claim is reached, missed, or not measured where what it compares with is missing", () => {
  const asked = "project keys: CPU for an event to that of limit raw";
  const keys = { burstCpuUsPerEvent: 13 };
  const raw = (burstCpuUsPerEvent: number) => ({
    "10000": { "project keys": keys, "limit raw": { burstCpuUsPerEvent } },
  });
  const none = { value: "–", reached: undefined };
  expect(verdict(asked, raw(10))).toEqual({ asked, limit: "≤ 1.30", value: "1.30", reached: true, onNode24: none });
  expect(verdict(asked, raw(9))).toMatchObject({ value: "1.44", reached: false });
  expect(verdict(asked, { "10000": { "project keys": keys } })).toMatchObject({ value: "–", reached: undefined });
});

test("a claim is judged for Node 24 as well, with peers as they were, where all of it was measured there", () => {
  const rows = (keys: number) => ({ "project keys": { burstCpuUsPerEvent: keys, syncCpuMs: keys } });
  const results = {
    "10000": { ...rows(13), "limit raw": { syncCpuMs: 10 }, "kube-rs": { burstCpuUsPerEvent: 26 } },
    "10000-node-24": { ...rows(6.5), "limit raw": { syncCpuMs: 5 } },
    "100000": rows(130),
  };
  const onNode24 = (asked: string) => verdict(`project keys: ${asked}`, results)?.onNode24;
  expect(onNode24("CPU for an event to that of kube-rs")).toEqual({ value: "0.25", reached: true });
  expect(onNode24("CPU for the sync to that of limit raw")).toMatchObject({ value: "1.30" });
  expect(onNode24("CPU for the sync of an object at 100,000 to that at 10,000")).toMatchObject({ value: "–" });
});

test("claims have names of their own", () => {
  const names = judge({}).map(({ asked }) => asked);
  expect(new Set(names).size).toBe(names.length);
});

test("tables are filled between their marks, from what was kept, and nothing else is touched", () => {
  const root = mkdtempSync(join(tmpdir(), "bench-report-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "docs"));
  const marks = (name: string) => `before\n<!-- bench ${name} -->\nold\n<!-- /bench -->\nafter\n`;
  writeFileSync(join(root, "README.md"), marks("summary"));
  writeFileSync(join(root, "docs/performance.md"), marks("10000") + marks("relist"));
  const report = new BenchReport(root);
  report.keep({
    suite: "10000",
    about: "Ten.",
    medians: { "project keys": { syncMs: 12.34, burstCpuUsPerEvent: 11 } },
  });
  report.fill();
  report.fill();
  const page = readFileSync(join(root, "docs/performance.md"), "utf8");
  expect(page).toContain("| project keys | 12.3 |");
  expect(page).toContain(`<!-- /bench -->\nafter\n${marks("relist")}`);
  expect(page.match(/Ten\./g)).toHaveLength(1);
  expect(readFileSync(join(root, "README.md"), "utf8")).toContain("| project keys | 11 |");
  expect(report.all()).toHaveLength(1);
});
