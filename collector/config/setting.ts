import { nearestName } from '#events'
import type { YamlNode } from '#load'
import { streamNamed } from '../sinks/kinesis/stream-name.ts'

/** A mistake in a configuration file, with where it is. */
export interface Mistake {
  readonly node: YamlNode
  readonly message: string
}

/** What a value may be, what it is when nobody says, and what it means. */
export interface Setting<T> {
  readonly meaning: string
  readonly preset: T
  /** The preset as the file would have it. */
  readonly presetText: string
  /** How values look, for people. */
  readonly form: string
  /** `undefined` after a mistake. */
  read(node: YamlNode, mistake: (mistake: Mistake) => void): T | undefined
}

/** Settings below a name. */
export type Group = { readonly [name: string]: Setting<unknown> | Group }

export type ValuesOf<G> = {
  readonly [Name in keyof G]: G[Name] extends Setting<infer T> ? T : ValuesOf<G[Name]>
}

export function isSetting(entry: Setting<unknown> | Group): entry is Setting<unknown> {
  return typeof entry['read'] === 'function'
}

/** A setting of one word; `parse` gives `undefined` for a word that is none. */
function word<T>(
  meaning: string,
  preset: T,
  form: string,
  parse: (text: string) => T | undefined,
  presetText: string = JSON.stringify(preset),
): Setting<T> {
  return {
    meaning,
    preset,
    presetText,
    form,
    read(node, mistake) {
      const value = node.kind === 'scalar' ? parse(node.text) : undefined
      if (value === undefined) {
        const found = node.kind === 'scalar' ? `"${node.text}"` : `a ${node.kind}`
        mistake({ node, message: `${form} is wanted, not ${found}` })
      }
      return value
    },
  }
}

export function text(meaning: string, preset: string, form = 'a text'): Setting<string> {
  return word(meaning, preset, form, (given) => given)
}

/** A Kinesis stream by name or ARN; the preset is none. */
export function stream(meaning: string): Setting<string> {
  return word(meaning, '', streamForm, (given) => (isStream(given) ? given : undefined))
}

export const streamForm = 'name or ARN of a Kinesis stream'

/** Whether a text may stand for a stream; empty stands for none. */
export function isStream(given: string): boolean {
  return given === '' || streamNamed(given) !== undefined
}

export function flag(meaning: string, preset: boolean): Setting<boolean> {
  return word(meaning, preset, 'true or false', (given) =>
    given === 'true' ? true : given === 'false' ? false : undefined,
  )
}

export function choice<const T extends string>(
  meaning: string,
  preset: NoInfer<T>,
  choices: readonly T[],
): Setting<T> {
  const known = new Set<string>(choices)
  const base = word<T>(meaning, preset, choices.join(' | '), (given) =>
    known.has(given) ? (given as T) : undefined,
  )
  return {
    ...base,
    read(node, mistake) {
      return base.read(node, ({ message, ...rest }) => {
        const near = node.kind === 'scalar' ? nearestName(node.text, choices) : undefined
        mistake({
          ...rest,
          message: near === undefined ? message : `${message}; did you mean "${near}"?`,
        })
      })
    },
  }
}

export function integer(
  meaning: string,
  preset: number,
  least: number,
  most: number,
): Setting<number> {
  return word(meaning, preset, `a whole number from ${least} to ${most}`, (given) => {
    const number = /^\d+$/.test(given) ? Number(given) : Number.NaN
    return number >= least && number <= most ? number : undefined
  })
}

const sizes: Readonly<Record<string, number>> = { KiB: 1 << 10, MiB: 1 << 20, GiB: 1 << 30 }

/** Bytes, written with their unit. */
export function size(meaning: string, preset: number, least: number): Setting<number> {
  return word(
    meaning,
    preset,
    `a size such as 256MiB, at least ${least >> 20}MiB`,
    (given) => {
      const [, digits, unit] = /^(\d+)(KiB|MiB|GiB)$/.exec(given) ?? []
      const bytes = Number(digits) * (sizes[unit ?? ''] ?? Number.NaN)
      return bytes >= least ? bytes : undefined
    },
    `${preset >> 20}MiB`,
  )
}

const seconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 }

/** Seconds, written with their unit. */
export function duration(
  meaning: string,
  preset: number,
  least: number,
  most: number,
): Setting<number> {
  return word(
    meaning,
    preset,
    `a duration such as 30s or 500ms, from ${least}s to ${most}s`,
    (given) => {
      const [, digits, unit] = /^(\d+)(ms|s|m|h)$/.exec(given) ?? []
      const value = Number(digits) * (seconds[unit ?? ''] ?? Number.NaN)
      return value >= least && value <= most ? value : undefined
    },
    `${preset}s`,
  )
}

export function texts(meaning: string, preset: readonly string[] = []): Setting<readonly string[]> {
  return {
    meaning,
    preset,
    presetText: JSON.stringify(preset),
    form: 'a list of texts',
    read(node, mistake) {
      const items = node.kind === 'seq' ? node.items : [node]
      const found: string[] = []
      for (const item of items) {
        if (item.kind === 'scalar' && !item.isNull) found.push(item.text)
        else mistake({ node: item, message: 'a text is wanted here' })
      }
      return found
    },
  }
}
