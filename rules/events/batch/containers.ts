import type { Container } from '../event.ts'
import { hasDetails, readDetails, writeDetails } from './container-details.ts'
import type { ByteReader } from './reader.ts'
import { type TextReader, type TextWriter, writeLists } from './texts.ts'
import type { ByteWriter } from './writer.ts'

const required = ['id', 'fullId', 'type'] as const
const optional = [
  'name',
  'image',
  'imageRepository',
  'imageTag',
  'imageDigest',
  'podUid',
  'podName',
  'namespace',
] as const

/** What follows of a container; a column of such bits, so that batches without details stay readable. */
const Has = { labels: 1, details: 2 } as const

/** Numbers the containers of a batch; a reference is 0 for the host, else number + 1. */
export class ContainerWriter {
  readonly #indexes = new Map<Container, number>()

  reference(container: Container | undefined): number {
    if (container === undefined) return 0
    let index = this.#indexes.get(container)
    if (index === undefined) {
      index = this.#indexes.size
      this.#indexes.set(container, index)
    }
    return index + 1
  }

  write(out: ByteWriter, texts: TextWriter): void {
    const all = [...this.#indexes.keys()]
    out.unsigned(all.length)
    for (const key of required) {
      out.numbers(
        all.map((container) => texts.index(container[key])),
        true,
      )
    }
    for (const key of optional) out.numbers(all.map((each) => texts.reference(each[key])))
    out.numbers(all.map(({ privileged }) => (privileged === undefined ? 0 : privileged ? 2 : 1)))
    out.numbers(all.map(({ start }) => (start === undefined ? 0 : 1)))
    out.bigints(all.map(({ start }) => start ?? 0n))
    const labels = all.map(({ podLabels }) => podLabels)
    const detailed = all.filter(hasDetails)
    const withDetails = new Set(detailed)
    out.numbers(
      all.map(
        (each) =>
          (each.podLabels === undefined ? 0 : Has.labels) |
          (withDetails.has(each) ? Has.details : 0),
      ),
    )
    writeLists(
      out,
      texts,
      labels.map((each) => Object.keys(each ?? {})),
    )
    writeLists(
      out,
      texts,
      labels.map((each) => Object.values(each ?? {})),
    )
    if (detailed.length > 0) writeDetails(out, texts, detailed)
  }
}

export function readContainers(reader: ByteReader, texts: TextReader): Container[] {
  const count = reader.count()
  const must = required.map(() => texts.column(count))
  const may = optional.map(() => texts.optionalColumn(count))
  const privileged = reader.indexes(count, 3)
  const hasStart = reader.indexes(count, 2)
  const starts = reader.bigints(count)
  const has = reader.indexes(count, 4)
  const keys = texts.lists(count)
  const values = texts.lists(count)
  const detailed = has.filter((bits) => (bits & Has.details) !== 0).length
  const details = detailed === 0 ? [] : readDetails(reader, texts, detailed)
  let detail = 0
  return Array.from({ length: count }, (_, row) => {
    if (keys[row]!.length !== values[row]!.length) {
      reader.fail('count', 'a container has labels without a value')
    }
    const container: Record<string, unknown> = {}
    for (const [index, key] of required.entries()) container[key] = must[index]![row]
    for (const [index, key] of optional.entries()) {
      const text = may[index]![row]
      if (text !== undefined) container[key] = text
    }
    if (privileged[row] !== 0) container['privileged'] = privileged[row] === 2
    if (hasStart[row] === 1) container['start'] = starts[row]
    if ((has[row]! & Has.labels) !== 0) container['podLabels'] = labelsOf(keys[row]!, values[row]!)
    if ((has[row]! & Has.details) !== 0) Object.assign(container, details[detail++])
    return container as unknown as Container
  })
}

/** Keys come from outside: none may reach a prototype. */
function labelsOf(keys: readonly string[], values: readonly string[]): Record<string, string> {
  const labels: Record<string, string> = Object.create(null)
  for (const [index, key] of keys.entries()) labels[key] = values[index]!
  return labels
}
