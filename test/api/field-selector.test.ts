import type { NodeFieldSelector, PodFieldSelector } from "kube-informers/core/v1";
import { expect, test } from "vitest";
import { fieldSelector } from "../../runtime/api/field-selector.js";
import { parseFieldSelector } from "../../runtime/testing/selectors.js";

interface WidgetFieldSelector {
  "metadata.name"?: string;
  "spec.color"?: "red" | "green";
  "spec.size"?: number;
}

test("every field has its value, and what is undefined is left out", () => {
  expect(fieldSelector<WidgetFieldSelector>({ "spec.color": "red", "spec.size": 3 })).toBe(
    "spec.color=red,spec.size=3",
  );
  expect(fieldSelector({ a: true, b: undefined })).toBe("a=true");
  expect(fieldSelector<WidgetFieldSelector>({})).toBe("");
});

test("what a selector means by itself is escaped, so that a server reads the value back", () => {
  const value = "a=b,c\\d";
  expect(fieldSelector({ name: value })).toBe("name=a\\=b\\,c\\\\d");
  expect(parseFieldSelector(fieldSelector({ name: value }))).toEqual([expect.objectContaining({ value })]);
});

test("a field or a value that the type does not have does not compile", () => {
  // @ts-expect-error: no such field
  expect(fieldSelector<WidgetFieldSelector>({ "spec.colour": "red" })).toBe("spec.colour=red");
  // @ts-expect-error: no such value
  expect(fieldSelector<WidgetFieldSelector>({ "spec.color": "blue" })).toBe("spec.color=blue");
});

test("Kubernetes' own kinds have theirs, with the values of the schema", () => {
  expect(fieldSelector<PodFieldSelector>({ "spec.nodeName": "worker-1", "status.phase": "Running" })).toBe(
    "spec.nodeName=worker-1,status.phase=Running",
  );
  expect(fieldSelector<NodeFieldSelector>({ "spec.unschedulable": false })).toBe("spec.unschedulable=false");
  // @ts-expect-error: no such phase
  expect(fieldSelector<PodFieldSelector>({ "status.phase": "Runing" })).toBe("status.phase=Runing");
  // @ts-expect-error: a field that the server does not select by
  expect(fieldSelector<PodFieldSelector>({ "spec.priority": 1 })).toBe("spec.priority=1");
});
