/** An object of a YAML file, with the places of its fields. */
import { GeneratorError, type Position } from "../errors.js";
import { asSchema } from "../model.js";
import type { Path, YamlDocument } from "./yaml.js";

export class Reading {
  readonly #document: YamlDocument;
  readonly path: Path;

  constructor(document: YamlDocument, path: Path) {
    this.#document = document;
    this.path = path;
  }

  at(...path: Path): unknown {
    return [...this.path, ...path].reduce<unknown>(
      (value, step) =>
        typeof value === "object" && value !== null && Object.hasOwn(value, step)
          ? (value as { [key: string]: unknown })[String(step)]
          : undefined,
      this.#document.value,
    );
  }

  child(...path: Path): Reading {
    return new Reading(this.#document, [...this.path, ...path]);
  }

  /** The items of a list; none where there is no list. */
  list(...path: Path): readonly unknown[] {
    const list = this.at(...path);
    return Array.isArray(list) ? list : [];
  }

  /** The items of a list of objects. */
  children(...path: Path): Reading[] {
    return this.list(...path).map((_item, index) => this.child(...path, index));
  }

  has(...path: Path): boolean {
    const value = this.at(...path);
    return value !== undefined && value !== null;
  }

  isObject(...path: Path): boolean {
    return asSchema(this.at(...path)) !== undefined;
  }

  position(...path: Path): Position {
    return this.#document.position([...this.path, ...path]);
  }

  fail(path: Path, message: string, hint: string): GeneratorError {
    return new GeneratorError("input", message, { at: this.position(...path), hint });
  }

  text(...path: Path): string | undefined {
    const value = this.at(...path);
    return typeof value === "string" && value !== "" ? value : undefined;
  }

  texts(...path: Path): string[] {
    return this.list(...path).filter((item): item is string => typeof item === "string");
  }

  /** A name that must be there and fit Kubernetes' grammar. */
  name(path: Path, check: (name: string) => string | undefined): string {
    const value = this.at(...path);
    const expected = typeof value === "string" ? check(value) : (check("") ?? "a text");
    if (typeof value === "string" && expected === undefined) return value;
    const what =
      value === undefined
        ? "is missing"
        : `${JSON.stringify(value).slice(0, 100)} is not a name that Kubernetes accepts`;
    throw this.fail(path, `${path.join(".")}${value === undefined ? "" : ":"} ${what}`, `expected ${expected}`);
  }
}
