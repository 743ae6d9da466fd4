import type { Container, Mount } from '../event.ts'
import type { ByteReader } from './reader.ts'
import { type TextReader, type TextWriter, writeLists } from './texts.ts'
import { ByteWriter } from './writer.ts'

/** A detail of containers, as a list of texts in each. */
interface Detail {
  /** On the wire; never used again for another. */
  readonly id: number
  /** `undefined` where the container has no such detail. */
  readonly texts: (container: Container) => readonly string[] | undefined
  /** `undefined` where these texts are no such detail. */
  readonly facts: (texts: readonly string[]) => Partial<Container> | undefined
}

const mountParts = 5

const details: readonly Detail[] = [
  single(1, 'imageId'),
  single(2, 'serviceAccount'),
  {
    id: 3,
    texts: ({ workload }) => workload && [workload.kind, workload.name],
    facts: ([kind, name, ...rest]) =>
      kind === undefined || name === undefined || rest.length > 0
        ? undefined
        : { workload: { kind, name } },
  },
  { id: 4, texts: ({ podIps }) => podIps, facts: (podIps) => ({ podIps }) },
  flag(5, 'hostPid'),
  flag(6, 'hostNetwork'),
  flag(7, 'hostIpc'),
  {
    id: 8,
    texts: ({ mounts }) => mounts?.flatMap(partsOf),
    facts: (parts) =>
      parts.length % mountParts === 0
        ? {
            mounts: Array.from({ length: parts.length / mountParts }, (_, index) =>
              mountOf(parts.slice(index * mountParts)),
            ),
          }
        : undefined,
  },
]

function single(id: number, key: 'imageId' | 'serviceAccount'): Detail {
  return {
    id,
    texts: ({ [key]: text }) => (text === undefined ? undefined : [text]),
    facts: (texts) => (texts.length === 1 ? { [key]: texts[0] } : undefined),
  }
}

function flag(id: number, key: 'hostPid' | 'hostNetwork' | 'hostIpc'): Detail {
  return {
    id,
    texts: ({ [key]: value }) => (value === undefined ? undefined : value ? ['true'] : []),
    facts: (texts) => ({ [key]: texts.length > 0 }),
  }
}

function partsOf({ source, dest, mode, rdwr, propagation }: Mount): string[] {
  return [source, dest, mode, rdwr ? 'rw' : 'ro', propagation]
}

function mountOf(parts: readonly string[]): Mount {
  const [source, dest, mode, access, propagation] = parts as [
    string,
    string,
    string,
    string,
    string,
  ]
  return { source, dest, mode, rdwr: access === 'rw', propagation }
}

/** Whether a container has something to say beyond the columns that every batch has. */
export function hasDetails(container: Container): boolean {
  return details.some(({ texts }) => texts(container) !== undefined)
}

/**
 * Writes the details of containers: how many, and for each its id, the length of its bytes, and per
 * container whether it is there and its texts. A reader skips the ids that it does not know.
 */
export function writeDetails(
  out: ByteWriter,
  texts: TextWriter,
  containers: readonly Container[],
): void {
  const columns = details
    .map(({ id, texts: of }) => ({ id, lists: containers.map(of) }))
    .filter(({ lists }) => lists.some((list) => list !== undefined))
  out.unsigned(columns.length)
  for (const { id, lists } of columns) {
    const column = new ByteWriter()
    column.numbers(lists.map((list) => (list === undefined ? 0 : 1)))
    writeLists(
      column,
      texts,
      lists.map((list) => list ?? []),
    )
    out.unsigned(id)
    out.unsigned(column.length)
    out.bytes(column.finish())
  }
}

/** What {@link writeDetails} wrote of `count` containers. */
export function readDetails(
  reader: ByteReader,
  texts: TextReader,
  count: number,
): readonly Partial<Container>[] {
  const rows = Array.from({ length: count }, (): Record<string, unknown> => ({}))
  for (let left = reader.count(); left > 0; left--) {
    const id = reader.unsigned()
    const length = reader.unsigned()
    const end = reader.at + length
    const detail = details.find((each) => each.id === id)
    if (detail === undefined) {
      reader.bytes(length)
      continue
    }
    const present = reader.indexes(count, 2)
    const lists = texts.lists(count)
    if (reader.at !== end)
      reader.fail('count', `the detail ${id} of containers is not ${length} bytes`)
    for (const [row, list] of lists.entries()) {
      if (present[row] === 0) continue
      const facts = detail.facts(list)
      if (facts === undefined) reader.fail('count', `a container has half of the detail ${id}`)
      Object.assign(rows[row]!, facts)
    }
  }
  return rows
}
