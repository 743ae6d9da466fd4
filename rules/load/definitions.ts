import { nearestName } from '#events'
import { type Context, makeDiagnostic, type Place } from './diagnostic.ts'
import { appendExceptions, checkExceptions, type Exception } from './exceptions.ts'
import type { Item, ListItem, ListMember, MacroItem, RuleItem } from './items.ts'
import type { Report } from './node-reader.ts'
import { SourcedText } from './sourced-text.ts'

/** Order of definitions: `index` of the first one, `visibility` of the last one or change. */
interface Ordered {
  readonly name: string
  readonly index: number
  readonly visibility: number
  readonly namePlace: Place
  readonly context: Context
}

export interface ListDefinition extends Ordered {
  readonly members: readonly ListMember[]
}

export interface MacroDefinition extends Ordered {
  readonly condition: SourcedText
  readonly conditionContext: Context
}

export interface RuleDefinition extends Ordered {
  readonly condition: SourcedText
  readonly conditionContext: Context
  readonly output: SourcedText
  readonly outputContext: Context
  readonly desc: string
  readonly priority: number
  readonly source: string
  readonly sourcePlace: Place | undefined
  readonly enabled: boolean
  readonly tags: readonly string[]
  readonly exceptions: readonly Exception[]
  readonly warnEventTypes: boolean
  readonly skipIfUnknownFilter: boolean
  readonly capture: boolean
  readonly captureDuration: number
}

export const defaultSource = 'syscall'

/** Everything defined so far, over all files; a name keeps the place of its first definition. */
export class Definitions {
  readonly lists = new Map<string, ListDefinition>()
  readonly macros = new Map<string, MacroDefinition>()
  readonly rules = new Map<string, RuleDefinition>()
  readonly #strictCompat: boolean
  #sequence = 0

  constructor(strictCompat = false) {
    this.#strictCompat = strictCompat
  }

  /** Takes in a list, macro or rule item. */
  apply(item: Extract<Item, { kind: 'list' | 'macro' | 'rule' }>, report: Report): void {
    this.#sequence += 1
    if (item.kind === 'list') this.#applyList(item, report)
    else if (item.kind === 'macro') this.#applyMacro(item, report)
    else this.#applyRule(item, report)
  }

  #order(item: ListItem | MacroItem | RuleItem, known: Ordered | undefined): Ordered {
    return {
      name: item.name,
      index: known?.index ?? this.#sequence,
      visibility: this.#sequence,
      namePlace: item.namePlace,
      context: item.context,
    }
  }

  #applyList(item: ListItem, report: Report): void {
    const known = this.lists.get(item.name)
    const order = this.#order(item, known)
    if (item.append || item.override?.get('items') === 'append') {
      if (known === undefined) {
        missing(item, 'append to', this.lists.keys(), report)
        return
      }
      const { namePlace, context } = known
      const members = [...known.members, ...item.items]
      this.lists.set(item.name, { ...order, namePlace, context, members })
    } else {
      this.lists.set(item.name, { ...order, members: item.items })
    }
  }

  #applyMacro(item: MacroItem, report: Report): void {
    const known = this.macros.get(item.name)
    const order = this.#order(item, known)
    const { condition, conditionContext } = item
    if (item.append || item.override?.get('condition') === 'append') {
      if (known === undefined) {
        missing(item, 'append to', this.macros.keys(), report)
        return
      }
      this.macros.set(item.name, {
        ...known,
        visibility: order.visibility,
        condition: joined(known.condition, condition),
      })
    } else {
      this.macros.set(item.name, { ...order, condition, conditionContext })
    }
  }

  #applyRule(item: RuleItem, report: Report): void {
    const known = this.rules.get(item.name)
    if (item.override !== undefined || item.append || item.enabledOnly) {
      const verb = item.enabledOnly
        ? 'enable or disable'
        : item.append || [...(item.override?.values() ?? [])].includes('append')
          ? 'append to'
          : 'replace parts of'
      if (known === undefined) {
        missing(item, verb, this.rules.keys(), report)
        return
      }
      if (hasOtherSource(item, known, report)) return
      if (item.enabledOnly) this.#toggle(item, known, report)
      else if (item.append) this.#appendRule(item, known, report)
      else this.#overrideRule(item, known, report)
      return
    }
    if (known !== undefined && hasOtherSource(item, known, report)) return
    const rule = this.#ruleOf(item, known, report)
    if (rule !== undefined) this.rules.set(item.name, rule)
  }

  #toggle(item: RuleItem, known: RuleDefinition, report: Report): void {
    const message =
      'a rule item with nothing but "enabled" is deprecated: use "override" with enabled: replace'
    report(makeDiagnostic('LOAD_DEPRECATED_ITEM', message, item.namePlace, item.context))
    this.rules.set(item.name, { ...known, enabled: item.enabled ?? known.enabled })
  }

  #ruleOf(
    item: RuleItem,
    known: RuleDefinition | undefined,
    report: Report,
  ): RuleDefinition | undefined {
    const { condition, conditionContext, output, outputContext, desc, priority } = item
    if (!condition || !conditionContext || !output || !outputContext) return undefined
    if (desc === undefined || priority === undefined) return undefined
    return {
      ...this.#order(item, known),
      condition,
      conditionContext,
      output,
      outputContext,
      desc,
      priority,
      source: item.source ?? defaultSource,
      sourcePlace: item.sourcePlace,
      enabled: item.enabled ?? true,
      tags: sortedTags(item.tags ?? []),
      exceptions: checkExceptions(item.exceptions ?? [], isForeign(item.source), report),
      warnEventTypes: item.warnEventTypes ?? true,
      skipIfUnknownFilter: item.skipIfUnknownFilter ?? false,
      capture: item.capture ?? false,
      captureDuration: item.captureDuration ?? 0,
    }
  }

  /** `append: true` changes the condition and the exceptions, and nothing else. */
  #appendRule(item: RuleItem, known: RuleDefinition, report: Report): void {
    if (item.condition === undefined && item.exceptions === undefined) {
      const message = 'an appended rule needs a condition or exceptions'
      report(makeDiagnostic('LOAD_ERR_VALIDATE', message, item.namePlace, item.context))
      return
    }
    this.rules.set(item.name, {
      ...known,
      visibility: this.#sequence,
      condition: item.condition ? joined(known.condition, item.condition) : known.condition,
      exceptions: appendExceptions(
        known.exceptions,
        item.exceptions ?? [],
        isForeign(known.source),
        report,
      ),
    })
  }

  /** Appends first, then replaces. */
  #overrideRule(item: RuleItem, known: RuleDefinition, report: Report): void {
    const change = (key: string) => item.override?.get(key)
    const text = (key: 'condition' | 'output') => {
      const given = item[key]
      if (given === undefined || change(key) === undefined) return known[key]
      return change(key) === 'append' ? joined(known[key], given) : given
    }
    const foreign = isForeign(known.source)
    const exceptions = item.exceptions ?? []
    this.rules.set(item.name, {
      ...known,
      visibility: this.#sequence,
      condition: text('condition'),
      output: text('output'),
      desc:
        change('desc') === 'append'
          ? `${known.desc} ${item.desc ?? ''}`
          : (change('desc') && item.desc) || known.desc,
      tags:
        change('tags') === 'append'
          ? sortedTags([...known.tags, ...(item.tags ?? [])])
          : change('tags') === 'replace'
            ? sortedTags(item.tags ?? [])
            : known.tags,
      exceptions:
        change('exceptions') === 'append'
          ? appendExceptions(known.exceptions, exceptions, foreign, report)
          : change('exceptions') === 'replace'
            ? checkExceptions(exceptions, foreign, report, !this.#strictCompat)
            : known.exceptions,
      priority: item.priority ?? known.priority,
      enabled: item.enabled ?? known.enabled,
      warnEventTypes: item.warnEventTypes ?? known.warnEventTypes,
      skipIfUnknownFilter: item.skipIfUnknownFilter ?? known.skipIfUnknownFilter,
      capture: item.capture ?? known.capture,
      captureDuration: item.captureDuration ?? known.captureDuration,
    })
  }
}

function isForeign(source: string | undefined): boolean {
  return source !== undefined && source !== defaultSource
}

function joined(before: SourcedText, after: SourcedText): SourcedText {
  const blank = SourcedText.at(' ', after.placeOf(0, 0))
  return SourcedText.join([before, blank, after])
}

function sortedTags(tags: readonly string[]): string[] {
  return [...new Set(tags)].sort()
}

function hasOtherSource(item: RuleItem, known: RuleDefinition, report: Report): boolean {
  if (item.source === undefined || item.source === known.source) return false
  const message = `the rule has the source ${known.source}; another definition cannot change it to ${item.source}`
  report(
    makeDiagnostic('LOAD_ERR_VALIDATE', message, item.sourcePlace ?? item.namePlace, item.context, {
      notes: [{ message: 'first defined here', place: known.namePlace }],
    }),
  )
  return true
}

function missing(
  { kind, name, namePlace, context }: ListItem | MacroItem | RuleItem,
  verb: string,
  known: Iterable<string>,
  report: Report,
): void {
  const nearest = nearestName(name, known)
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
  const message = `there is no ${kind} "${name}" to ${verb}${hint}`
  report(makeDiagnostic('LOAD_ERR_VALIDATE', message, namePlace, context))
}
