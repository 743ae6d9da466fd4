import type { Expr, Right, TransformArg } from './ast.ts'
import { printFalcoText, printText } from './quoted-text.ts'

type PrintText = (text: string) => string

/**
 * The condition in one form: groups in one pair of parentheses, one blank around operators. Parsing
 * the result gives the same tree, and different conditions look different.
 */
export function printCondition(expr: Expr): string {
  return print(expr, printText)
}

/**
 * The condition as Falco writes it again. It does not quote parentheses and commas in constants, so
 * that what it writes may read differently.
 */
export function printAsFalco(expr: Expr): string {
  return print(expr, printFalcoText)
}

function print(expr: Expr, textOf: PrintText): string {
  switch (expr.kind) {
    case 'and':
    case 'or':
      return `(${expr.items.map((item) => print(item, textOf)).join(` ${expr.kind} `)})`
    case 'not': {
      const item = print(expr.item, textOf)
      return expr.item.kind === 'not' ? `not (${item})` : `not ${item}`
    }
    case 'macro':
      return expr.name
    case 'check': {
      const left = printOperand(expr.left, textOf)
      const modifier = expr.modifier === undefined ? '' : ` ${expr.modifier}`
      const right = expr.right === undefined ? '' : ` ${printOperand(expr.right, textOf)}`
      return `${left} ${expr.op}${modifier}${right}`
    }
  }
}

/** A field, transformer, constant or list as a condition writes it. */
export function printOperand(node: Right | TransformArg, textOf: PrintText = printText): string {
  switch (node.kind) {
    case 'field':
      return printField(node.text)
    case 'transform': {
      const selector = node.selector === undefined ? '' : printArgument(node.selector)
      return `${node.name}(${node.args.map(printTransformArg).join(', ')})${selector}`
    }
    case 'text':
      return textOf(node.text)
    case 'number':
      return node.text
    case 'list':
      return `(${node.items.map((item) => textOf(item.text)).join(', ')})`
    case 'items':
      return `(${node.items.map(printTransformArg).join(', ')})`
  }
}

function printTransformArg(arg: TransformArg): string {
  if (arg.kind !== 'text') return printOperand(arg)
  const text = printText(arg.text)
  return text.startsWith('"') ? text : `"${text}"`
}

function printField(text: string): string {
  const bracket = text.indexOf('[')
  if (bracket < 0) return text
  return text.slice(0, bracket) + printArgument(text.slice(bracket + 1, -1))
}

function printArgument(argument: string): string {
  if (/^[^[\]"'\s]+$/.test(argument)) return `[${argument}]`
  const text = printText(argument)
  return text.startsWith('"') ? `[${text}]` : `["${text}"]`
}
