/** Totals that go on counting when the agent is started again within a run, by their place. */
const totals = [
  'records',
  'matched',
  'folded',
  'lost-queue',
  'lost-spool',
  'lost-sink',
  'lost-limit',
  'lost-decode',
  'restarts',
] as const
export type Total = (typeof totals)[number]

/** Places of the other words. */
const Word = {
  run: 0,
  previousRun: 1,
  previousSequence: 2,
  unsettled: 3,
  totals: 8,
  seed: 64,
} as const
const seedBytes = 32

/**
 * What has to outlive the agent within a run of the sensor: it lies in memory that the sensor keeps.
 * All zero at the start of a run.
 */
export class RunState {
  readonly #numbers: Float64Array
  readonly #bits: BigUint64Array
  /** What the key of this run is made of: 32 bytes. Whoever reads them can speak for this run. */
  readonly seed: Uint8Array

  /** @param memory of a page, see `SensorLink.kept` */
  constructor(memory: ArrayBuffer) {
    this.#numbers = new Float64Array(memory)
    this.#bits = new BigUint64Array(memory)
    this.seed = new Uint8Array(memory, Word.seed * 8, seedBytes)
  }

  /**
   * The number of this run, made up by the first agent of it.
   * @param last the last batch that any run made durable, which the first agent names for good
   */
  begin(last: { readonly run: bigint; readonly sequence: number } | undefined): bigint {
    if (this.#bits[Word.run] === 0n) {
      // before the number: an agent that dies in between leaves no run without a key
      crypto.getRandomValues(this.seed)
      this.#bits[Word.run] = crypto.getRandomValues(new BigUint64Array(1))[0]! | 1n
      this.#bits[Word.previousRun] = last?.run ?? 0n
      this.#numbers[Word.previousSequence] = last === undefined ? 0 : last.sequence + 1
    } else {
      // what the agent before had folded and not handed on died with it
      this.add('lost-queue', this.unsettled)
      this.add('restarts', 1)
      this.unsettled = 0
    }
    return this.run
  }

  get run(): bigint {
    return this.#bits[Word.run]!
  }

  /** The run before on this node and its last batch. */
  get previous(): { readonly run: bigint; readonly sequence: number } | undefined {
    const next = this.#numbers[Word.previousSequence]!
    return next === 0 ? undefined : { run: this.#bits[Word.previousRun]!, sequence: next - 1 }
  }

  /** Events that exist nowhere but in this process: counted as lost when it dies. */
  get unsettled(): number {
    return this.#numbers[Word.unsettled]!
  }

  set unsettled(count: number) {
    this.#numbers[Word.unsettled] = count
  }

  add(total: Total, count: number): void {
    this.#numbers[Word.totals + totals.indexOf(total)]! += count
  }

  total(total: Total): number {
    return this.#numbers[Word.totals + totals.indexOf(total)]!
  }
}
