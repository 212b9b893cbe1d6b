/** What an author may write into a definition: well, nearly well, and badly. */
import type { Dice } from "./dice.js";

export type Json = unknown;
export type Fields = { [key: string]: Json };

export function fieldsOf(value: Json): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

export function at(value: Json, ...path: (string | number)[]): Json {
  return path.reduce<Json>((inner, step) => (inner as Fields | undefined)?.[step], value);
}

export const names = [
  "a",
  "b-c",
  "metadata",
  "apiVersion",
  "kind",
  "name",
  "spec",
  "status",
  "x y",
  "",
  "__proto__",
  "日本",
];
export const texts = [
  ..."a A 1 1h 1h30m 5x true 2020-01-01 2020-13-01 2020-01-01T00:00:00Z 2020-01-01T00:00:00".split(" "),
  ..."1.2.3.4 256.1.1.1 01.2.3.4 ::1 fe80::1%eth0 10.0.0.0/8 10.0.0.0/33 ::/0 a@b.c @ http://a.b/c /c %zz a.b.c".split(
    " ",
  ),
  ..."YWJj YWJ aGVsbG8= not-base64! 123e4567-e89b-12d3-a456-426614174000 #fff rgb(1,2,3) 00:11:22:33:44:55".split(" "),
  ..."4111111111111111 123-45-6789 978-3-16-148410-0 2001:db8::/32 P1D 1s 100 -1 507f1f77bcf86cd799439011".split(" "),
  ...["", " ", "a b", "line\nbreak", "ü", "*/", "x".repeat(70)],
];
export const formats = [
  ..."bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn".split(
    " ",
  ),
  ..."hexcolor rgbcolor byte password date duration datetime date-time int32 int64 float double k8s-short-name".split(
    " ",
  ),
  ..."k8s-long-name ip string unknown quantity uint32 Date dateTime int-or-string".split(" "),
  "",
];
export const patterns = [
  ..."^[a-z]+$ (?i)a a{1,3} [[:alpha:]] \\d+ \\p{L} \\pL [^a] (?:a|b) a|b (?P<n>a) (?<n>a) a*? [a-z [z-a] (a a) a** +a".split(
    " ",
  ),
  ..."a{2,1} a{1001} (?=a) (?<!a) \\1 \\8 \\z \\Z \\h \\K \\Qa*\\E \\x{41} \\x4 \\u0041 [[:nope:]] \\p{Nope} \\p{Greek} (?x)a".split(
    " ",
  ),
  ..."a{,2} a{2}{3} x{1000} (x{100}){11} (a{1000}){2} [] []a] [^]a] [a-\\d] [\\d-z] [\\z] \\C (?#c) (?>a) (?-i:a) (?i-s:a) (?P=n)".split(
    " ",
  ),
  ..."(?P<n>a)(?P<n>b) (?P<1>a) $^ a++ a?? a?+ (|a) (?) ( ) \\ a\\ .{0} {1} }{ ]".split(" "),
  ...["", " ", "/*/", "`", "\\pN\\PL", "[\\pL\\s]", "[a\\]", "é", "\\é", "\\_", "[[=a=]]", "[[.a.]]", "[a-[:digit:]]"],
];
export const numbers = [0, 1, -1, 1.5, 3, 100, 1e20, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 1e300, 0.1];
export const rules = [
  ..."true self self==self has(self.a) self.size()>0 self==oldSelf oldSelf==self self.metadata.name!='' true&&".split(
    " ",
  ),
  ...["self.all(x, x != '')", "1", "'a'", "(", "", " ", "self ==\noldSelf", "unknown", "self.nope", "size(self) < 5"],
];
export const jsonPaths = [
  ..."spec .spec .spec. . .spec.a .status.a .metadata.name .metadata .spec[0] .spec.a[*] .spec['a'] .spec..a .kind".split(
    " ",
  ),
  ..."..a $.spec {.spec.a} .spec.replicas .status.replicas .metadata.creationTimestamp".split(" "),
  ...["", " .spec.a", ".spec.a b", '.metadata.annotations["a"]', ".spec.conditions[?(@.type=='Ready')].status"],
];
export const labels = [
  "a",
  "A",
  "a.b",
  "a_b",
  "-a",
  "a-",
  "1a",
  "",
  "a/b",
  "ä",
  "x".repeat(63),
  "x".repeat(64),
  "A-b",
  "Event",
];

/** A value of any form. */
export function anything(dice: Dice, depth = 2): Json {
  const form = dice.below(depth > 0 ? 10 : 7);
  if (form < 3) return dice.one(texts);
  if (form < 5) return dice.one(numbers);
  if (form === 5) return dice.one([true, false]);
  if (form === 6) return null;
  if (form === 7) return Array.from({ length: dice.below(3) }, () => anything(dice, depth - 1));
  return Object.fromEntries(dice.some(names, 2).map((name) => [name, anything(dice, depth - 1)]));
}

/** A value that a schema may take, more or less. */
export function valueFor(schema: Fields, dice: Dice, depth = 3): Json {
  if (dice.below(25) === 0) return anything(dice);
  const { type, enum: values } = schema;
  if (Array.isArray(values) && values.length > 0 && dice.below(4) > 0) return dice.one(values);
  if (type === "string") return dice.one(texts);
  if (type === "integer") return dice.one(numbers.filter(Number.isInteger));
  if (type === "number") return dice.one(numbers);
  if (type === "boolean") return dice.one([true, false]);
  if (type === "array") {
    const items = fieldsOf(schema["items"]) ?? {};
    return depth === 0 ? [] : Array.from({ length: dice.below(3) }, () => valueFor(items, dice, depth - 1));
  }
  if (type !== "object") return anything(dice);
  const properties = Object.entries(fieldsOf(schema["properties"]) ?? {});
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const values_ = fieldsOf(schema["additionalProperties"]);
  return Object.fromEntries([
    ...properties
      .filter(([name]) => depth > 0 && (required.includes(name) ? dice.below(15) > 0 : dice.below(4) === 0))
      .map(([name, inner]) => [name, valueFor(fieldsOf(inner) ?? {}, dice, depth - 1)]),
    ...(values_ === undefined || depth === 0
      ? []
      : dice.some(["a", "B", "c d"], 2).map((name) => [name, valueFor(values_, dice, depth - 1)])),
    ...(dice.below(20) === 0 ? [[dice.one(names), anything(dice)]] : []),
  ]);
}

export const types = ["object", "array", "string", "integer", "number", "boolean"];

export function scalarSchema(dice: Dice): Fields {
  return dice.one<Fields>([
    { type: dice.one(types) },
    { type: "object", properties: { a: { type: "string" } } },
    { type: "array", items: { type: dice.one(types) } },
    { "x-kubernetes-int-or-string": true },
    { "x-kubernetes-preserve-unknown-fields": true },
    {},
  ]);
}
