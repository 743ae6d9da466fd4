import * as fc from 'fast-check'
import type {
  Check,
  Expr,
  FieldNode,
  Right,
  TextNode,
  TransformArg,
  TransformNode,
} from '../ast.ts'
import { orderOperators, symbolOperators, wordOperators } from '../ast.ts'

const place = { at: 0, end: 0 } as const

/** The tree without its offsets, for comparisons. */
export function plain(expr: Expr): unknown {
  return JSON.parse(
    JSON.stringify(expr, (key, value) => (key === 'at' || key === 'end' ? undefined : value)),
  )
}

const word = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,6}$/)
const fieldName = fc.stringMatching(/^[a-z][a-z0-9_]{0,4}(\.[a-z][a-z0-9_]{0,4}){1,2}$/)
const argument = fc.oneof(fc.stringMatching(/^[^[\]"'\s]{1,8}$/), fc.string({ minLength: 1 }))

const field: fc.Arbitrary<FieldNode> = fc
  .tuple(fieldName, fc.option(argument, { nil: undefined }))
  .map(([name, arg]) => ({
    kind: 'field',
    text: arg === undefined ? name : `${name}[${arg}]`,
    ...place,
  }))

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.stringMatching(/^[\\"' \x00-\x1fa=(),]{0,6}$/),
  word,
)
const text: fc.Arbitrary<TextNode> = anyText
  // A pair of lone surrogates that together make one character would be read as that character.
  .filter((value) => value.isWellFormed())
  .map((value) => ({ kind: 'text', text: value, ...place }))

const number = fc.stringMatching(/^-?\d{1,9}(\.\d{1,3})?$/)

const { operand } = fc.letrec<{ operand: FieldNode | TransformNode; arg: TransformArg }>((tie) => ({
  operand: fc.oneof(
    { maxDepth: 3 },
    { arbitrary: field, weight: 4 },
    {
      arbitrary: fc
        .record({
          name: fc.constantFrom('tolower', 'toupper', 'b64', 'join', 'concat', 'getopt', 'len'),
          args: fc.array(tie('arg'), { minLength: 1, maxLength: 3 }),
          selector: fc.option(argument, { nil: undefined }),
        })
        .map(
          ({ name, args, selector }) =>
            ({
              kind: 'transform',
              name,
              args,
              ...(selector !== undefined && { selector }),
              ...place,
            }) as TransformNode,
        ),
      weight: 1,
    },
  ),
  arg: fc.oneof(
    { maxDepth: 3 },
    tie('operand'),
    text,
    number.map((digits) => ({ kind: 'number', text: digits, ...place }) as TransformArg),
    fc
      .array(tie('arg'), { maxLength: 3 })
      .map((items) => ({ kind: 'items', items, ...place }) as TransformArg),
  ),
}))

const rightOperand: fc.Arbitrary<Right> = fc.oneof(
  field.map((inner) => ({ kind: 'transform', name: 'val', args: [inner], ...place }) as Right),
  operand.filter((node) => node.kind === 'transform'),
)
const list: fc.Arbitrary<Right> = fc
  .array(text, { maxLength: 4 })
  .map((items) => ({ kind: 'list', items, ...place }))
const name: fc.Arbitrary<Right> = word.map((value) => ({ kind: 'text', text: value, ...place }))
const numberText: fc.Arbitrary<Right> = number.map((value) => ({
  kind: 'text',
  text: value,
  ...place,
}))

function checkOf(op: string, right: fc.Arbitrary<Right> | undefined, modifier?: string) {
  return fc.tuple(operand, right ?? fc.constant(undefined)).map(
    ([left, value]) =>
      ({
        kind: 'check',
        left,
        op,
        ...(modifier !== undefined && { modifier }),
        ...(value !== undefined && { right: value }),
        ...place,
      }) as Check,
  )
}

const keywords = new Set(['and', 'or', 'not'])
const listName = name.filter((node) => node.kind === 'text' && !keywords.has(node.text))

const check: fc.Arbitrary<Check> = fc.oneof(
  checkOf('exists', undefined),
  ...orderOperators.map((op) => checkOf(op, fc.oneof(numberText, rightOperand))),
  ...[...symbolOperators, ...wordOperators].flatMap((op) => [
    checkOf(op, fc.oneof(text, rightOperand)),
    checkOf(op, fc.oneof(list, listName), 'anyof'),
  ]),
  ...['in', 'intersects', 'pmatch'].map((op) => checkOf(op, fc.oneof(list, name, rightOperand))),
)

/** Any condition that the grammar allows; fields need not exist. */
export const { expr: conditions } = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 5 },
    { arbitrary: check, weight: 3 },
    {
      arbitrary: word
        .filter((value) => !keywords.has(value))
        .map((value) => ({ kind: 'macro', name: value, ...place }) as Expr),
      weight: 1,
    },
    {
      arbitrary: fc
        .tuple(fc.constantFrom('and', 'or'), fc.array(tie('expr'), { minLength: 2, maxLength: 4 }))
        .map(([kind, items]) => ({ kind, items, ...place }) as Expr),
      weight: 2,
    },
    {
      arbitrary: tie('expr').map((item) => ({ kind: 'not', item, ...place }) as Expr),
      weight: 1,
    },
  ),
}))
