/** The titles of the tests in a file, as they are written. */
import ts from "typescript";

const BEGINNING = /^(test|it|describe)\b/;

/** Texts that name a test or a group of tests, those in the tables and lists of `each` included. */
export function testTitles(source: string): string[] {
  const titles: string[] = [];
  const collect = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) titles.push(node.text);
    else if (ts.isTemplateExpression(node)) titles.push(node.head.text);
    else ts.forEachChild(node, collect);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const callee = node.expression.getText();
      if (BEGINNING.test(callee)) {
        const isTable = /\.each(<[^()]*>)?$/.test(callee);
        for (const argument of isTable ? node.arguments : node.arguments.slice(0, 1)) collect(argument);
      }
    }
    ts.forEachChild(node, visit);
  };
  const file = ts.createSourceFile("test.ts", source, ts.ScriptTarget.Latest, true);
  visit(file);
  // Tables that have a name.
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { initializer } of statement.declarationList.declarations) {
      if (initializer !== undefined && isTable(initializer)) collect(initializer);
    }
  }
  return titles;
}

function isTable(node: ts.Expression): boolean {
  if (ts.isAsExpression(node)) return isTable(node.expression);
  return ts.isArrayLiteralExpression(node) || ts.isObjectLiteralExpression(node);
}
