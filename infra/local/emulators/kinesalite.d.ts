declare module 'kinesalite' {
  import type { Server } from 'node:http'

  /** A Kinesis in memory. */
  export default function kinesalite(options?: {
    readonly createStreamMs?: number
    readonly deleteStreamMs?: number
    readonly updateStreamMs?: number
    readonly shardLimit?: number
  }): Server
}
