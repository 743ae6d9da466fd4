/** Something added to the outputs of all rules that it matches, as Falco's `append_output`. */
export interface OutputAddition {
  readonly match?: {
    readonly source?: string
    readonly rule?: string
    /** The rule must have all of them. */
    readonly tags?: readonly string[]
  }
  /** Appended to the output after a blank. */
  readonly extraOutput?: string
  /** Further members of `output_fields`: a field by its name, or a rendered text under a key. */
  readonly extraFields?: readonly (string | { readonly key: string; readonly format: string })[]
  /** Append the fields that tell containers and pods apart. */
  readonly suggestedOutput?: boolean
}

/** What Falco's default configuration adds. */
export const defaultAdditions: readonly OutputAddition[] = [{ suggestedOutput: true }]

const suggested = [
  'container.id',
  'container.name',
  'container.image.repository',
  'container.image.tag',
  'k8s.pod.name',
  'k8s.ns.name',
]
  .map((field) => `${field.replaceAll('.', '_')}=%${field}`)
  .join(' ')

/** What a rule gets: the text after its output, and further fields. */
export function additionsFor(
  rule: { readonly name: string; readonly source: string; readonly tags: readonly string[] },
  additions: readonly OutputAddition[],
): { text: string; fields: readonly { key: string; format: string; raw: boolean }[] } {
  let text = ''
  const fields: { key: string; format: string; raw: boolean }[] = []
  for (const { match, extraOutput, extraFields, suggestedOutput } of additions) {
    if (match?.source !== undefined && match.source !== rule.source) continue
    if (match?.rule !== undefined && match.rule !== rule.name) continue
    if (match?.tags?.some((tag) => !rule.tags.includes(tag))) continue
    if (extraOutput !== undefined && extraOutput !== '') text += ` ${extraOutput}`
    if (suggestedOutput === true) text += ` ${suggested}`
    for (const field of extraFields ?? []) {
      if (typeof field === 'string') fields.push({ key: field, format: `%${field}`, raw: true })
      else fields.push({ ...field, raw: false })
    }
  }
  return { text, fields }
}
