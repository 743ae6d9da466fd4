import { zstdDecompressSync } from 'node:zlib'
import { PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import type { RuleArtefact } from '#artefact'
import { readHeader } from '#events'
import type { BusEvent } from '../../infra/local/event-bus.ts'
import { type LocalOptions, type LocalStack, startLocal } from '../../infra/local/start-local.ts'
import { topology } from '../../infra/topology/index.ts'
import type { Topology } from '../../infra/topology/types.ts'
import { judge } from '../../lambdas/evaluate/judge.ts'
import { type JudgeSet, prepareSet } from '../../lambdas/evaluate/prepare-set.ts'
import { readRecord } from '../../lambdas/evaluate/read-record.ts'
import type { IncidentMessage } from '../../lambdas/shared/bus-messages.ts'
import type { Detection } from '../../lambdas/shared/detection.ts'
import { artefactKey, assignmentKey } from '../../lambdas/shared/rule-sets/rule-sets.ts'
import { libraryArtefact, published, recordOf } from './records.ts'

/** What the account holds for these tests: functions around the stream. */
const stages = ['evaluate', 'lake']

/** The functions around the stream, as they run in AWS, over the real wire on this machine. */
export class Pipeline {
  readonly stack: LocalStack
  readonly said: BusEvent[] = []
  readonly logged: string[]

  private constructor(stack: LocalStack, logged: string[]) {
    this.stack = stack
    this.logged = logged
  }

  static async start(
    options: LocalOptions & {
      readonly sets?: Readonly<Record<string, RuleArtefact>>
      readonly retries?: number
      readonly shards?: number
    } = {},
  ): Promise<Pipeline> {
    const logged: string[] = []
    const stack = await startLocal(quick(options), {
      ...{ stages, schedules: false, pollMs: 20, deliverySeconds: 0 },
      log: (stage, line) => void logged.push(`${stage}: ${line}`),
      announce: (line) => void logged.push(line),
      ...options,
    })
    const pipeline = new Pipeline(stack, logged)
    await pipeline.assign(options.sets ?? { default: libraryArtefact() })
    await stack.listen('bus', { source: ['lanner'] }, (event) => void pipeline.said.push(event))
    return pipeline
  }

  /** Puts rule sets into force: by cluster, `default` for all others. */
  async assign(sets: Readonly<Record<string, RuleArtefact>>): Promise<void> {
    const Bucket = this.stack.names.name('rules')
    const put = (Key: string, Body: string) =>
      this.stack.clients.s3.send(new PutObjectCommand({ Bucket, Key, Body }))
    const hashes: Record<string, string> = {}
    for (const [cluster, artefact] of Object.entries(sets)) {
      const { text, hash } = published(artefact)
      await put(artefactKey(hash), text)
      hashes[cluster] = hash
    }
    const { default: fallback, ...own } = hashes
    const clusters = Object.fromEntries(Object.entries(own).map(([name, set]) => [name, { set }]))
    await put(assignmentKey, JSON.stringify({ default: fallback, clusters }))
  }

  /** Puts batches, each under its node. */
  async put(batches: readonly Uint8Array[]): Promise<void> {
    for (let at = 0; at < batches.length; at += 100) {
      const { FailedRecordCount } = await this.stack.clients.kinesis.send(
        new PutRecordsCommand({
          StreamName: this.stack.names.name('stream'),
          Records: batches
            .slice(at, at + 100)
            .map((Data) => ({ Data, PartitionKey: nodeOf(Data) })),
        }),
      )
      if (FailedRecordCount !== 0) throw new Error(`${FailedRecordCount} records were not taken`)
    }
  }

  /** All detections of the lake, each once, and how many lie there more than once. */
  async detections(): Promise<{ readonly all: readonly Detection[]; readonly again: number }> {
    const found = new Map<string, Detection>()
    let lines = 0
    for (const { body } of await this.objects('lake', 'detections/')) {
      for (const line of zstdDecompressSync(body).toString().split('\n')) {
        if (line === '') continue
        lines += 1
        const detection = JSON.parse(line) as Detection
        found.set(detection.lanner.id, detection)
      }
    }
    return { all: [...found.values()], again: lines - found.size }
  }

  async objects(bucket: string, Prefix = ''): Promise<{ key: string; body: Buffer }[]> {
    const Bucket = this.stack.names.name(bucket)
    const { s3 } = this.stack.clients
    const found: { key: string; body: Buffer }[] = []
    let ContinuationToken: string | undefined
    do {
      const page = await s3.send(
        new ListObjectsV2Command({
          ...{ Bucket, Prefix },
          ...(ContinuationToken !== undefined && { ContinuationToken }),
        }),
      )
      for (const { Key = '' } of page.Contents ?? []) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
        found.push({ key: Key, body: Buffer.from(await Body!.transformToByteArray()) })
      }
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
    return found.sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** The messages about incidents as a person sees them: each id once, the last of each incident. */
  incidents(): {
    readonly said: readonly IncidentMessage[]
    readonly last: readonly IncidentMessage[]
  } {
    const said = new Map<string, IncidentMessage>()
    for (const event of this.said) {
      if (!event['detail-type'].startsWith('Incident')) continue
      const detail = event.detail as unknown as IncidentMessage
      if (!said.has(detail.id)) said.set(detail.id, detail)
    }
    const last = new Map<string, IncidentMessage>()
    for (const message of [...said.values()].sort(
      (a, b) => a.incident.revision - b.incident.revision,
    )) {
      last.set(message.incident.id, message)
    }
    return { said: [...said.values()], last: [...last.values()] }
  }

  stop(): Promise<void> {
    return this.stack.stop()
  }
}

/** What rules find in batches: the ids, as the functions must find them. */
export function expectedIds(
  batches: readonly Uint8Array[],
  artefact = libraryArtefact(),
): string[] {
  const set: JudgeSet = prepareSet(artefact, published(artefact).hash)
  const ids = batches.flatMap((bytes) => {
    const read = readRecord(recordOf(bytes))
    if (!('batch' in read)) return []
    const { header } = read.batch
    const { grouped, parts } = judge(read, {
      ...{ header, set, sender: 'verified', evidence: { complete: true } },
      ...{ streamTime: '', evaluateTime: '' },
    })
    return [...grouped.map(({ detection }) => detection), ...parts].map(({ lanner }) => lanner.id)
  })
  return [...new Set(ids)].sort()
}

function nodeOf(batch: Uint8Array): string {
  try {
    return readHeader(batch).node
  } catch {
    return 'unknown'
  }
}

/** The same topology with shorter waits. */
function quick(options: { readonly retries?: number; readonly shards?: number }): Topology {
  const { retries = 60, shards = 1 } = options
  const { stream } = topology.resources
  return {
    resources: {
      ...topology.resources,
      stream: stream?.kind === 'stream' ? { ...stream, shards } : stream!,
    },
    functions: topology.functions.map((spec) => ({
      ...spec,
      triggers: spec.triggers.map((trigger) =>
        trigger.kind === 'stream' ? { ...trigger, windowSeconds: 0, retries } : trigger,
      ),
    })),
  }
}
