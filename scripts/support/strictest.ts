/**
 * A user's compiler options, as a tsconfig.json has them: as strict as they can be, and with the names of a browser in scope.
 * What is generated compiles under them.
 */
export const strictest = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitOverride: true,
  noUnusedLocals: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  erasableSyntaxOnly: true,
  skipLibCheck: false,
  noEmit: true,
  target: "ES2023",
  lib: ["ES2023", "DOM"],
  module: "NodeNext",
  types: ["node"],
};
