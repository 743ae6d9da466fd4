import { json, type Received, type Reply, type Vendor } from './fault-server.ts'

interface Node {
  readonly type?: string
  readonly text?: string
  readonly version?: number
  readonly content?: readonly Node[]
}
interface Issue {
  readonly key: string
  readonly fields: {
    readonly project: { readonly key: string }
    readonly issuetype: { readonly name: string }
    readonly summary: string
    readonly description: Node
    readonly labels: readonly string[]
  }
  readonly comments: { readonly body: Node }[]
  status: string
}

/** Jira Cloud's REST API v3: issues, search by JQL, comments, transitions; texts are ADF. */
export class JiraStandIn implements Vendor {
  login = `Basic ${Buffer.from('bot@example.com:good').toString('base64')}`
  project = 'SEC'
  readonly issues: Issue[] = []

  serve({ method, path, headers, body }: Received): Reply {
    if (headers.authorization !== this.login) return json(401, { errorMessages: ['Unauthorized'] })
    const call = `${method} ${path.replace('/rest/api/3', '')}`
    const input = body.length === 0 ? {} : JSON.parse(body.toString())
    if (call === 'POST /search/jql') return this.#search(input)
    if (call === 'POST /issue') return this.#create(input)
    const match = /^(GET|POST) \/issue\/([^/]+)\/(comment|transitions)$/.exec(call)
    const issue = this.issues.find(({ key }) => key === match?.[2])
    if (match === null) return json(404, { errorMessages: ['no such resource'] })
    if (issue === undefined) return json(404, { errorMessages: ['Issue does not exist'] })
    if (match[3] === 'comment') {
      if (match[1] === 'GET') return json(200, { comments: issue.comments.toReversed() })
      const problem = adfProblem(input.body)
      if (problem !== undefined) return json(400, { errorMessages: [problem] })
      issue.comments.push(input)
      return json(201, { id: String(issue.comments.length) })
    }
    if (match[1] === 'GET') return json(200, { transitions: [{ id: '31', name: 'Done' }] })
    issue.status = input.transition.id === '31' ? 'Done' : issue.status
    return { status: 204 }
  }

  #search({ jql }: { jql: string }): Reply {
    const match = /^project = "(\w+)" AND labels = "([\w-]+)"$/.exec(jql)
    if (match === null) return json(400, { errorMessages: ['the JQL is wrong'] })
    if (match[1] !== this.project) return json(400, { errorMessages: ['no such project'] })
    const issues = this.issues
      .filter(({ fields }) => fields.labels.includes(match[2]!))
      .map(({ key, fields }) => ({ key, fields: { description: fields.description } }))
    return json(200, { issues, isLast: true })
  }

  #create({ fields }: Pick<Issue, 'fields'>): Reply {
    const { project, summary, labels, description } = fields
    const errors: Record<string, string> = {}
    if (project.key !== this.project) errors['project'] = 'valid project is required'
    if (summary.length > 255) errors['summary'] = 'Summary must be less than 255 characters.'
    if (/[\r\n]/.test(summary)) errors['summary'] = 'The summary is invalid: it has newlines.'
    if (labels.some((label) => /\s/.test(label) || label.length > 255)) errors['labels'] = 'invalid'
    const problem = adfProblem(description)
    if (problem !== undefined) errors['description'] = problem
    if (Object.keys(errors).length > 0) return json(400, { errorMessages: [], errors })
    const key = `${this.project}-${this.issues.length + 1}`
    this.issues.push({ key, fields, comments: [], status: 'To Do' })
    return json(201, { id: '1', key })
  }
}

const types = new Set(
  'doc paragraph text heading codeBlock bulletList listItem orderedList rule'.split(' '),
)

/** Why it is no document of Atlassian's format, as Jira checks it. */
function adfProblem(document: Node | undefined): string | undefined {
  if (document?.type !== 'doc' || document.version !== 1) return 'INVALID_INPUT: no document'
  if (JSON.stringify(document).length > 32_767 * 4) return 'CONTENT_LIMIT_EXCEEDED'
  const texts: string[] = []
  const check = (node: Node): string | undefined => {
    if (!types.has(node.type ?? '')) return `INVALID_INPUT: ${node.type}`
    if (node.type === 'text') {
      if (!node.text) return 'INVALID_INPUT: empty text'
      texts.push(node.text)
    }
    return node.content?.map(check).find((problem) => problem !== undefined)
  }
  const problem = check(document)
  if (problem !== undefined) return problem
  return texts.join('').length > 32_767 ? 'CONTENT_LIMIT_EXCEEDED' : undefined
}
