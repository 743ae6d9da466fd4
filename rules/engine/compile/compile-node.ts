import type { EventSource, Extractor, FieldRef } from '#events'
import type { Operand } from '../ast.ts'
import { printOperand } from '../print.ts'
import { bindLeft, bindOperand } from '../read-operand.ts'
import { compileCheck, type Test } from './compile-check.ts'
import { cheapestFirst } from './cost.ts'
import type { Node } from './dag.ts'
import type { Memory } from './memory.ts'

/** Turns nodes into functions; each node and each field once. */
export class NodeCompiler<E> {
  readonly #source: EventSource<E>
  readonly #memory: Memory<E>
  readonly #tests = new Map<Node, Test<E>>()
  readonly #fields = new Map<string, Extractor<E>>()
  readonly #operands = new Map<string, Extractor<E>>()

  constructor(source: EventSource<E>, memory: Memory<E>) {
    this.#source = source
    this.#memory = memory
  }

  compile(node: Node): Test<E> {
    let test = this.#tests.get(node)
    if (test === undefined) {
      test = this.#make(node)
      if (node.shared && isWorthKeeping(node)) test = this.#memory.once(test)
      this.#tests.set(node, test)
    }
    return test
  }

  #make(node: Node): Test<E> {
    switch (node.kind) {
      case 'constant':
        return node.value ? () => true : () => false
      case 'not': {
        const test = this.compile(node.item)
        return (event) => !test(event)
      }
      case 'check':
        return compileCheck(node.check, {
          left: (check) =>
            check.left.kind === 'field'
              ? bindLeft(check, (ref) => this.#field(ref))
              : this.#read(check.left),
          right: (operand) => this.#read(operand),
        })
      default: {
        const tests = cheapestFirst(node.kind, node.items).map((item) => this.compile(item))
        return node.kind === 'and' ? allOf(tests) : anyOf(tests)
      }
    }
  }

  #read(operand: Operand): Extractor<E> {
    if (operand.kind === 'field') return bindOperand(operand, (ref) => this.#field(ref))
    const key = printOperand(operand)
    let read = this.#operands.get(key)
    if (read === undefined) {
      read = this.#memory.value(bindOperand(operand, (ref) => this.#field(ref)))
      this.#operands.set(key, read)
    }
    return read
  }

  #field(ref: FieldRef): Extractor<E> {
    let read = this.#fields.get(ref.text)
    if (read === undefined) {
      const extract = this.#source.bind(ref)
      read = extract === undefined ? () => undefined : this.#memory.value(extract)
      this.#fields.set(ref.text, read)
    }
    return read
  }
}

/** Looking up a kept result costs about as much as one comparison. */
function isWorthKeeping(node: Node): boolean {
  if (node.kind === 'not') return false
  if (node.kind !== 'check') return true
  const { op } = node.check
  return !['=', '==', '!=', '<', '<=', '>', '>=', 'exists'].includes(op)
}

function allOf<E>(tests: readonly Test<E>[]): Test<E> {
  const [a, b, c, d] = tests as [Test<E>, Test<E>, Test<E>, Test<E>]
  switch (tests.length) {
    case 2:
      return (event) => a(event) && b(event)
    case 3:
      return (event) => a(event) && b(event) && c(event)
    case 4:
      return (event) => a(event) && b(event) && c(event) && d(event)
    default: {
      const rest = allOf(tests.slice(3))
      return (event) => a(event) && b(event) && c(event) && rest(event)
    }
  }
}

function anyOf<E>(tests: readonly Test<E>[]): Test<E> {
  const [a, b, c, d] = tests as [Test<E>, Test<E>, Test<E>, Test<E>]
  switch (tests.length) {
    case 2:
      return (event) => a(event) || b(event)
    case 3:
      return (event) => a(event) || b(event) || c(event)
    case 4:
      return (event) => a(event) || b(event) || c(event) || d(event)
    default: {
      const rest = anyOf(tests.slice(3))
      return (event) => a(event) || b(event) || c(event) || rest(event)
    }
  }
}
