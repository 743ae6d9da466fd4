import { readYaml, type SourceFile } from '#load'

/** A file of JSON with the places of all that is in it: JSON is YAML, whose reader knows them. */
export function readJson(file: SourceFile): ReturnType<typeof readYaml> {
  const problem = jsonProblem(file)
  return problem === undefined ? readYaml(file) : { documents: [], problems: [problem] }
}

/** What JSON itself says against a file. */
function jsonProblem(file: SourceFile) {
  try {
    JSON.parse(file.text)
    return undefined
  } catch (error) {
    const { message } = error as Error
    const at = placeIn(message, file.text)
    return { message: `it is no JSON: ${message}`, place: { file, at, end: at } }
  }
}

/** V8 says a position, or the token and ten characters before and after it. */
function placeIn(message: string, text: string): number {
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position)
  const around = /^Unexpected token '(.)', (\.\.\.)?"(.*)"(?:\.\.\.)? is not valid JSON$/su
  const [, token = '', isCut, context = ''] = around.exec(message) ?? []
  const at = isCut === undefined ? text.indexOf(token) : text.indexOf(context) + 10
  return token === '' || at < 0 ? text.length : at
}
