/** Field selectors in the API's text form. Counterpart: apimachinery `fields.Set.AsSelector`. */

/**
 * `{ "spec.color": "red", "spec.size": 3 }` → `spec.color=red,spec.size=3`: every field has its value. What is undefined is
 * left out. With the generated type of a resource's fields a field that a server cannot select by does not compile:
 * `fieldSelector<WidgetFieldSelector>({ "spec.color": "red" })`.
 */
export function fieldSelector<Fields extends { readonly [K in keyof Fields]?: string | number | boolean | undefined }>(
  fields: Fields,
): string {
  return Object.entries<string | number | boolean | undefined>(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeValue(String(value))}`)
    .join(",");
}

/** As `fields.EscapeValue` does. */
function escapeValue(value: string): string {
  return value.replace(/[\\,=]/g, "\\$&");
}
