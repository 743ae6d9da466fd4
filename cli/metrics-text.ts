/** One line of a text in Prometheus' format. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Figures of an agent as `/metrics` gives them; a figure that it does not give is 0. */
export class Metrics {
  readonly #samples: readonly Sample[]

  private constructor(samples: readonly Sample[]) {
    this.#samples = samples
  }

  /** Reads what it can: a line that is none of this format says nothing. */
  static parse(text: string): Metrics {
    const samples: Sample[] = []
    for (const line of text.split('\n')) {
      const [, name, labels = '', number] = sampleLine.exec(line) ?? []
      const value = Number(number)
      if (name !== undefined && Number.isFinite(value)) {
        samples.push({ name, labels: readLabels(labels), value })
      }
    }
    return new Metrics(samples)
  }

  has(name: string): boolean {
    return this.#samples.some((sample) => sample.name === name)
  }

  /** Sum over all labels. */
  total(name: string): number {
    return this.#of(name).reduce((sum, { value }) => sum + value, 0)
  }

  /** By the text of one label. */
  by(name: string, label: string): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.#of(name).map(({ labels, value }) => [labels[label] ?? '', value]),
    )
  }

  /** What was added since an earlier look; meant for counters. */
  since(earlier: Metrics): Metrics {
    const key = ({ name, labels }: Sample) => `${name} ${JSON.stringify(labels)}`
    const before = new Map(earlier.#samples.map((sample) => [key(sample), sample.value]))
    return new Metrics(
      this.#samples.map((sample) => ({
        ...sample,
        value: sample.value - (before.get(key(sample)) ?? 0),
      })),
    )
  }

  #of(name: string): readonly Sample[] {
    return this.#samples.filter((sample) => sample.name === name)
  }
}

const sampleLine = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/s
const labelPair = /(\w+)="((?:[^"\\]|\\.)*)"/gs

function readLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(labelPair)].map(([, name, value]) => [
      name!,
      value!.replace(/\\(.)/gs, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    ]),
  )
}
