/**
 * The tree of a condition. Nodes are never changed after they are made; `at` and `end` are offsets
 * into the text that was parsed. Groups are n-ary and flat as written: `a and b and c` is one node.
 */
export type Expr = Group | Not | Check | MacroRef

export interface Span {
  readonly at: number
  readonly end: number
}

export interface Group extends Span {
  readonly kind: 'and' | 'or'
  /** Two or more as parsed. The empty `and` is true, the empty `or` false. */
  readonly items: readonly Expr[]
}

export interface Not extends Span {
  readonly kind: 'not'
  readonly item: Expr
}

export interface MacroRef extends Span {
  readonly kind: 'macro'
  readonly name: string
}

export interface Check extends Span {
  readonly kind: 'check'
  readonly left: Operand
  readonly op: Operator
  readonly modifier?: Modifier
  /** Of pmatch: go wrong as Falco does where two patterns fit a component; see `strict-compat.ts`. */
  readonly siblingDefect?: boolean
  /** Absent for `exists`. A list operator has a {@link TextNode} when written without parentheses. */
  readonly right?: Right
}

/** What has a value: a field, or a transformer over fields and constants. */
export type Operand = FieldNode | TransformNode
export type Right = TextNode | ListNode | FieldNode | TransformNode

export interface FieldNode extends Span {
  readonly kind: 'field'
  /** Name and argument in one form: `proc.aname[2]`, without quotes around the argument. */
  readonly text: string
}

export interface TransformNode extends Span {
  readonly kind: 'transform'
  readonly name: TransformName
  readonly args: readonly TransformArg[]
  /** The selector of `getopt(…)[x]`. */
  readonly selector?: string
}

export type TransformArg = Operand | TextNode | NumberNode | TransformList

export interface TransformList extends Span {
  readonly kind: 'items'
  readonly items: readonly TransformArg[]
}

/** A constant; quotes are gone and escapes resolved. */
export interface TextNode extends Span {
  readonly kind: 'text'
  readonly text: string
}

/** A number among the arguments of a transformer, as written. */
export interface NumberNode extends Span {
  readonly kind: 'number'
  readonly text: string
}

export interface ListNode extends Span {
  readonly kind: 'list'
  readonly items: readonly TextNode[]
}

export type Modifier = 'oneof' | 'anyof' | 'allof'
export const modifiers: readonly Modifier[] = ['oneof', 'anyof', 'allof']

export type OrderOperator = '<' | '<=' | '>' | '>='
export type TextOperator =
  | '='
  | '=='
  | '!='
  | 'contains'
  | 'icontains'
  | 'bcontains'
  | 'startswith'
  | 'bstartswith'
  | 'endswith'
  | 'glob'
  | 'iglob'
  | 'regex'
export type ListOperator = 'in' | 'intersects' | 'pmatch'
export type Operator = 'exists' | OrderOperator | TextOperator | ListOperator

/** Each family in the order in which a parser must try it: no name before one it begins. */
export const orderOperators: readonly OrderOperator[] = ['<=', '<', '>=', '>']
export const symbolOperators: readonly TextOperator[] = ['==', '=', '!=']
export const wordOperators: readonly TextOperator[] = [
  'contains',
  'icontains',
  'bcontains',
  'startswith',
  'bstartswith',
  'endswith',
  'glob',
  'iglob',
  'regex',
]
export const listOperators: readonly ListOperator[] = ['intersects', 'in', 'pmatch']

export type TransformName =
  | 'tolower'
  | 'toupper'
  | 'b64'
  | 'basename'
  | 'len'
  | 'join'
  | 'concat'
  | 'getopt'
  | 'val'
export const transformNames: readonly TransformName[] = [
  'tolower',
  'toupper',
  'b64',
  'basename',
  'len',
  'join',
  'concat',
  'getopt',
  'val',
]
