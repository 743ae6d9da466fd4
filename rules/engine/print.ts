import type { Expr, Right, TransformArg } from './ast.ts'
import { printText } from './quoted-text.ts'

/**
 * The condition in one form, as Falco writes it again: groups in one pair of parentheses, one blank
 * around operators. Parsing the result gives the same tree.
 */
export function printCondition(expr: Expr): string {
  switch (expr.kind) {
    case 'and':
    case 'or':
      return `(${expr.items.map(printCondition).join(` ${expr.kind} `)})`
    case 'not': {
      const item = printCondition(expr.item)
      return expr.item.kind === 'not' ? `not (${item})` : `not ${item}`
    }
    case 'macro':
      return expr.name
    case 'check': {
      const left = printOperand(expr.left)
      const modifier = expr.modifier === undefined ? '' : ` ${expr.modifier}`
      const right = expr.right === undefined ? '' : ` ${printOperand(expr.right)}`
      return `${left} ${expr.op}${modifier}${right}`
    }
  }
}

/** A field, transformer, constant or list as a condition writes it. */
export function printOperand(node: Right | TransformArg): string {
  switch (node.kind) {
    case 'field':
      return printField(node.text)
    case 'transform': {
      const selector = node.selector === undefined ? '' : printArgument(node.selector)
      return `${node.name}(${node.args.map(printTransformArg).join(', ')})${selector}`
    }
    case 'text':
      return printText(node.text)
    case 'number':
      return node.text
    case 'list':
    case 'items':
      return `(${node.items.map(node.kind === 'list' ? printOperand : printTransformArg).join(', ')})`
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
