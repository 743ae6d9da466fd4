import type { Definitions, ListDefinition } from './definitions.ts'
import type { SourcedText } from './sourced-text.ts'
import { SourcedText as Sourced } from './sourced-text.ts'

/** The lists as conditions get them, and which have been of use. */
export class ListExpander {
  readonly used = new Set<string>()
  /** Conditions that lists would make longer than anyone means them to be: left as they were. */
  readonly tooLong = new Set<SourcedText>()
  readonly #expansions: readonly { readonly name: string; readonly text: string }[]

  constructor(definitions: Definitions) {
    const lists = [...definitions.lists.values()]
    this.#expansions = lists.map((list) => ({
      name: list.name,
      text: this.#membersOf(list, definitions).map(quoted).join(', '),
    }))
  }

  /** Items with the lists among them filled in, one level deep: a list sees earlier ones only. */
  #membersOf(list: ListDefinition, { lists }: Definitions): string[] {
    return list.members.flatMap(({ text }) => {
      const inner = lists.get(text)
      if (inner === undefined || inner.index >= list.visibility) return [text]
      this.used.add(inner.name)
      return inner.members.map((member) => member.text)
    })
  }

  /**
   * Replaces list names by their items, as text: each list in the order of definition, wherever its
   * name stands between blanks, parentheses, "," or "=".
   */
  expand(condition: SourcedText, mentioned?: Set<string>): SourcedText {
    let text = condition
    for (const { name, text: items } of this.#expansions) {
      if (!text.text.includes(name)) continue
      const expanded = replaceName(text, name, items)
      if (expanded === undefined) {
        this.tooLong.add(condition)
        return condition
      }
      if (expanded === text) continue
      this.used.add(name)
      mentioned?.add(name)
      text = expanded
    }
    return text
  }
}

/** Items with a blank need quotes, unless they bring their own. */
function quoted(item: string): string {
  return item.includes(' ') && !/^["']/.test(item) ? `"${item}"` : item
}

/** Falco's delimiters of a list's name. */
const boundary = /[ \t\n\r(),=]/
const blank = /[ \t\n\r]/

/** Lists that name each other could double the text again and again. */
const longest = 1 << 25
const mostParts = 20_000

/** `undefined` when the text would get too long. */
function replaceName(text: SourcedText, name: string, items: string): SourcedText | undefined {
  if (name === '') return text
  const parts: SourcedText[] = []
  let copied = 0
  let size = text.text.length
  let from = 0
  for (;;) {
    const at = text.text.indexOf(name, from)
    if (at < 0) break
    from = at + name.length
    const before = text.text[at - 1]
    const after = text.text[from]
    if (before !== undefined && !boundary.test(before)) continue
    if (after !== undefined && !boundary.test(after)) continue
    let [start, end] = [at, from]
    if (items === '') [start, end] = withOneComma(text.text, at, from, copied)
    parts.push(text.slice(copied, start), Sourced.at(items, text.placeOf(at, at + name.length)))
    copied = end
    size += items.length
    if (size > longest || parts.length > mostParts) return undefined
    from = Math.max(from, end)
  }
  if (parts.length === 0) return text
  parts.push(text.slice(copied))
  return Sourced.join(parts)
}

/** An empty list takes the comma before or after its name with it. */
function withOneComma(text: string, at: number, end: number, least: number): [number, number] {
  let start = at
  while (start > least && blank.test(text[start - 1]!)) start -= 1
  if (start > least && text[start - 1] === ',') return [start - 1, end]
  let stop = end
  while (stop < text.length && blank.test(text[stop]!)) stop += 1
  return text[stop] === ',' ? [at, stop + 1] : [at, end]
}
