/** What the model takes from measurements, each with the command that makes it. */
export const measured = {
  /** Share of the events entering the edge filter that is shipped, all official rules: `npm run bench -- pipeline throughput`. */
  shippedShare: 0.0006,
  /** Events that match, of those entering: all that is shipped did, on the same trace. */
  matchingShare: 0.0006,
  /**
   * Bytes of a heartbeat: `npm run bench -- collector bytes`. Of a batch of one event, and of each further one: a line through
   * the recorded attack cut to batches of 1 to 20 (`testing/pipeline/records.ts`) and `npm run bench -- pipeline throughput`.
   */
  heartbeatBytes: 360,
  batchBytes: 1000,
  eventBytes: 12,
  /** Microseconds of CPU a batch, a shipped event and a detection: a line through `npm run bench -- pipeline throughput`. */
  batchMicros: 230,
  eventMicros: 3.4,
  detectionMicros: 21,
  /** Milliseconds of an invocation beside that, for calls to state, lake and bus: assumed, as only AWS can show it. */
  invocationMs: 30,
  /** Of DynamoDB a detection, incident and correlations: `npm run bench -- pipeline writes`. */
  writeUnits: 3,
  readUnits: 1.5,
  /** Messages on the bus a detection, up to the hundredth of an incident: the same. */
  messages: 1.15,
  /** Seconds of silence after which a node sends a heartbeat. */
  heartbeatSeconds: 30,
  /** Share of a core that sensor and agent take at 57 events a second: `npm run bench -- idle`. */
  agentCore: 0.001,
} as const

/** What is assumed, not measured. */
export const assumed = {
  /** Room above the mean load of a stream. */
  headroom: 1.5,
  memoryGb: 1.769,
  lakeDays: 90,
  /** Nodes of a cluster, each with network endpoints in three zones. */
  nodesACluster: 500,
  zones: 3,
  /** Bytes of log and metrics an invocation. */
  logBytes: 1200,
  /** Bytes of an incident's node in a tally. */
  tallyBytes: 60,
  keys: 5,
} as const
