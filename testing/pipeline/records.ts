import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { encodeArtefact, type RuleArtefact } from '#artefact'
import { decodeBatch, encodeBatch, FrameReader, readHeader } from '#events'
import { artefactOf } from '../../cli/artefact.ts'
import { libraryPath } from '../../cli/library-path.ts'
import { loadRuleFiles, parseRuleOptions } from '../../cli/rule-options.ts'
import { sha256 } from '../../cli/sha256.ts'
import { compress, decompress, ZSTD } from '../../collector/agent/zstd.ts'
import type { KinesisRecord } from '../../lambdas/evaluate/read-record.ts'

/** The artefact of some rules files or directories, as `lanner rules compile` writes it. */
export function artefactFrom(...paths: readonly string[]): RuleArtefact {
  const { rules } = parseRuleOptions([], {})
  const loaded = loadRuleFiles(rules, paths)
  if (!loaded.ok) throw new Error(`mistakes in ${paths.join(', ')}`)
  return artefactOf(loaded, rules.selections)
}

/** The product's own rules. */
export function libraryArtefact(): RuleArtefact {
  return artefactFrom(libraryPath)
}

/** An artefact as it is published: its text and the hash that names it. */
export function published(artefact: RuleArtefact): {
  readonly text: string
  readonly hash: string
} {
  const text = encodeArtefact(artefact)
  return { text, hash: sha256(text) }
}

/** Batches of an attack that was recorded, in order, cut to so many events each. */
export function recordedBatches(size = 12): Uint8Array[] {
  const path = fileURLToPath(new URL('../../cli/recorded/attack.trace', import.meta.url))
  const frames = new FrameReader().push(readFileSync(path))
  const cut = [...frames].flatMap((bytes) => {
    const { header, events } = decodeBatch(bytes, decompress)
    return Array.from({ length: Math.ceil(events.length / size) }, (_, at) => ({
      header,
      events: events.slice(at * size, (at + 1) * size),
    }))
  })
  return cut.map(({ header, events }, sequence) =>
    encodeBatch({ ...header, sequence, compression: ZSTD }, events, compress),
  )
}

let records = 0

/** A batch as a function gets it from the stream. */
export function recordOf(
  data: Uint8Array,
  facts: { readonly key?: string; readonly arrivedAt?: number } = {},
): KinesisRecord {
  records += 1
  const sequenceNumber = String(records).padStart(20, '0')
  return {
    eventID: `shardId-000000000000:${sequenceNumber}`,
    kinesis: {
      partitionKey: facts.key ?? keyOf(data),
      sequenceNumber,
      data: Buffer.from(data).toString('base64'),
      approximateArrivalTimestamp: (facts.arrivedAt ?? 1_800_000_000_000) / 1000,
    },
  }
}

function keyOf(data: Uint8Array): string {
  try {
    return readHeader(data).node
  } catch {
    return 'unknown'
  }
}
