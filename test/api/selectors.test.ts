import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LabelSelectorInput, type Labels, parseLabelSelector } from "../../runtime/api/selectors.js";
import { informerErrorOf } from "../support/thrown.js";

const matches = (selector: LabelSelectorInput, labels: Labels | undefined) =>
  parseLabelSelector(selector).matches(labels);

/** Each line: a selector, labels that it selects, and labels that it does not. */
const TEXT: readonly [selector: string, selected: Labels[], notSelected: Labels[]][] = [
  ["app=web", [{ app: "web" }, { app: "web", x: "y" }], [{ app: "db" }, {}, { App: "web" }]],
  ["app==web", [{ app: "web" }], [{ app: "db" }]],
  [" app = web ", [{ app: "web" }], [{ app: "db" }]],
  ["app=", [{ app: "" }], [{}, { app: "web" }]],
  ["app!=web", [{ app: "db" }, {}], [{ app: "web" }]],
  ["app", [{ app: "" }, { app: "web" }], [{}]],
  ["!app", [{}, { x: "y" }], [{ app: "" }]],
  ["! app", [{}], [{ app: "web" }]],
  ["app in (web, db)", [{ app: "web" }, { app: "db" }], [{ app: "mq" }, {}]],
  ["app in(web)", [{ app: "web" }], [{ app: "db" }]],
  ["app in (web,)", [{ app: "web" }, { app: "" }], [{ app: "db" }]],
  ["app in ()", [{ app: "" }], [{ app: "web" }, {}]],
  ["app notin (web,db)", [{ app: "mq" }, {}], [{ app: "web" }, { app: "db" }]],
  [
    "app in (web,db),tier!=cache,!old",
    [{ app: "db", tier: "x" }, { app: "web" }],
    [{ app: "db", old: "" }, { tier: "x" }],
  ],
  ["example.com/app=web", [{ "example.com/app": "web" }], [{ app: "web" }]],
  ["in=notin", [{ in: "notin" }], [{ in: "in" }]],
  ["constructor", [{ constructor: "x" }], [{}]],
  ["!toString", [{}], [{ toString: "x" }]],
  ["hasOwnProperty=x", [{ hasOwnProperty: "x" }], [{}]],
];

describe("selectors in text form", () => {
  test.each(TEXT)("%s", (selector, selected, notSelected) => {
    for (const labels of selected) expect(matches(selector, labels), JSON.stringify(labels)).toBe(true);
    for (const labels of notSelected) expect(matches(selector, labels), JSON.stringify(labels)).toBe(false);
  });

  test("an absent label map is an empty one", () => {
    expect(matches("app", undefined)).toBe(false);
    expect(matches("!app,x!=y,z notin (a)", undefined)).toBe(true);
  });

  test.each(["", "  "])("%j selects everything", (selector) => {
    expect(parseLabelSelector(selector).matchesEverything).toBe(true);
    expect(matches(selector, undefined)).toBe(true);
    expect(parseLabelSelector("a").matchesEverything).toBe(false);
  });

  test("> and < compare integers of any length, and nothing else", () => {
    expect(matches("gen>5", { gen: "6" })).toBe(true);
    expect(matches("gen>5", { gen: "5" })).toBe(false);
    expect(matches("gen>5", { gen: "10" })).toBe(true);
    expect(matches("gen<10", { gen: "5" })).toBe(true);
    expect(matches("gen<10", { gen: "9" })).toBe(true);
    expect(matches("gen>9007199254740992", { gen: "9007199254740993" })).toBe(true);
    for (const gen of ["", "0x10", "1e3", "7.5", "many"]) {
      expect(matches("gen>5", { gen }), gen).toBe(false);
      expect(matches("gen<100000", { gen }), gen).toBe(false);
    }
    expect(matches("gen>5", {})).toBe(false);
    expect(matches("gen<5", {})).toBe(false);
  });

  test.each([
    [",", "empty requirement"],
    ["a,,b", "empty requirement"],
    ["a=b,", "empty requirement"],
    ["=web", '"=web" is not a label key'],
    ["a=b=c", '"a=b=c"'],
    ["a b", '"a b" is not a label key'],
    ["-a", '"-a" is not a label key'],
    ["a=b c", "is not a label key"],
    ["a=-b", '"-b" is not a label value'],
    ["a in b", '"a in b" is not a label key'],
    ["a in (b", '"a in (b" is not a label key'],
    ["a in (b))", "is not a label key"],
    ["a in ((b))", "is not a label key"],
    ["!a=b", '"a=b" is not a label key'],
    ["!a in (b)", '"!a" is not a label key'],
    ["a>b", '"b" is not an integer'],
    ["a<", "is not an integer"],
    ["/a", '"/a" is not a label key'],
    ["a/b/c=d", '"a/b/c" is not a label key'],
    ["a\u202e=b", "is not a label key"],
  ])("%j is refused, and the message names the place", async (selector, place) => {
    const error = await informerErrorOf(() => parseLabelSelector(selector));
    expect(error.code).toBe("usage");
    expect(error.message).toContain(place);
  });

  test("whatever the text, it is read or refused as usage", async () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "b", "1", "in", "notin", "!", "=", "<", ">", "(", ")", ",", " ", "/", "-", "."),
    });
    await fc.assert(
      fc.asyncProperty(text, async (selector) => {
        try {
          expect(parseLabelSelector(selector).matches({ a: "b" })).toBeTypeOf("boolean");
        } catch (error) {
          expect((await informerErrorOf(() => Promise.reject(error))).code).toBe("usage");
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("selectors in object form", () => {
  test("all of matchLabels and matchExpressions must hold", () => {
    const selector = {
      matchLabels: { app: "web", tier: "front" },
      matchExpressions: [
        { key: "env", operator: "In", values: ["prod", "stage"] },
        { key: "env", operator: "NotIn", values: ["stage"] },
        { key: "owner", operator: "Exists" },
        { key: "old", operator: "DoesNotExist" },
      ],
    };
    const labels = { app: "web", tier: "front", env: "prod", owner: "" };
    expect(matches(selector, labels)).toBe(true);
    expect(matches(selector, { ...labels, tier: "back" })).toBe(false);
    expect(matches(selector, { ...labels, env: "stage" })).toBe(false);
    expect(matches(selector, { ...labels, old: "x" })).toBe(false);
    const { owner: _, ...ownerless } = labels;
    expect(matches(selector, ownerless)).toBe(false);
  });

  test("{} selects everything", () => {
    expect(parseLabelSelector({}).matchesEverything).toBe(true);
    expect(parseLabelSelector({ matchLabels: {}, matchExpressions: [] }).matchesEverything).toBe(true);
  });

  test("NotIn selects objects without the label", () => {
    expect(matches({ matchExpressions: [{ key: "a", operator: "NotIn", values: ["b"] }] }, {})).toBe(true);
  });

  test.each([
    [{ key: "a", operator: "In", values: [] }, 'In of "a" needs values'],
    [{ key: "a", operator: "NotIn" }, 'NotIn of "a" needs values'],
    [{ key: "a", operator: "Exists", values: ["b"] }, 'Exists of "a" takes no values'],
    [{ key: "a", operator: "DoesNotExist", values: ["b"] }, 'DoesNotExist of "a" takes no values'],
    [{ key: "a", operator: "in", values: ["b"] }, 'operator "in" of "a"'],
    [{ key: "a", operator: "Gt", values: ["1"] }, 'operator "Gt" of "a"'],
  ])("%o is refused", async (expression, message) => {
    const error = await informerErrorOf(() => parseLabelSelector({ matchExpressions: [expression] }));
    expect(error.code).toBe("usage");
    expect(error.message).toContain(message);
  });

  test("says the same as the text form", () => {
    const value = fc.constantFrom("", "a", "b", "c");
    const labels = fc.dictionary(fc.constantFrom("x", "y", "constructor"), value, { noNullPrototype: true });
    const expression = fc.record({
      key: fc.constantFrom("x", "y", "constructor"),
      operator: fc.constantFrom("In", "NotIn"),
      values: fc.array(value, { minLength: 1 }),
    });
    fc.assert(
      fc.property(labels, fc.array(expression), (of, matchExpressions) => {
        const text = matchExpressions
          .map(({ key, operator, values }) => `${key} ${operator.toLowerCase()} (${values.join(",")})`)
          .join(",");
        expect(matches({ matchExpressions }, of)).toBe(matches(text, of));
      }),
    );
  });
});
