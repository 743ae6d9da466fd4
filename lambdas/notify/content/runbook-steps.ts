import { clip, shellWord } from './plain-text.ts'

/** A step of a runbook, with this incident's values in its commands. */
export interface Step {
  readonly text: string
  /** Ready to be pasted: every value in them is one word. */
  readonly commands: readonly string[]
}

const mostSteps = 5
const mostText = 400
const mostCommand = 600

/**
 * The first steps of a runbook. In code spans `{name}` stands for a value of the incident, quoted for a
 * shell; a command whose values are not all known, or cannot safely be shown, is left out.
 */
export function stepsOf(
  markdown: string,
  values: Readonly<Record<string, string | undefined>>,
): Step[] {
  const section = /^##\s+First steps\s*\n([\s\S]*?)(?=^##\s|(?![\s\S]))/im.exec(markdown)?.[1] ?? ''
  const items = section.split(/^\s*\d+[.)]\s+/m).slice(1, mostSteps + 1)
  return items.map((item) => {
    const commands: string[] = []
    const text = item
      .replace(/`([^`]+)`/g, (span, code: string) => {
        // code without a value of the incident is part of the sentence
        if (!/\{[\w.-]+\}/.test(code)) return span
        const command = filled(code, values)
        if (command !== undefined) commands.push(clip(command, mostCommand))
        return ''
      })
      .replace(/\s+/g, ' ')
      .replace(/\s*[:;,]?\s*$/, '')
      .replace(/\s+([.,;:])/g, '$1')
    return { text: clip(text.trim(), mostText), commands }
  })
}

/** What the runbook says its detection means, without markup. */
export function meaningOf(markdown: string): string | undefined {
  const section = /^##\s+What it means\s*\n([\s\S]*?)(?=^##\s|(?![\s\S]))/im.exec(markdown)?.[1]
  const text = section?.replace(/\s+/g, ' ').trim()
  return text ? clip(text, mostText) : undefined
}

function filled(
  code: string,
  values: Readonly<Record<string, string | undefined>>,
): string | undefined {
  let isWhole = true
  const command = code.replace(/\{([\w.-]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    const word = value === undefined ? undefined : shellWord(value)
    if (word === undefined) isWhole = false
    return word ?? ''
  })
  return isWhole ? command : undefined
}
