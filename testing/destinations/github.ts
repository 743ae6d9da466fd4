import { json, type Received, type Reply, type Vendor } from './fault-server.ts'

interface Issue {
  readonly number: number
  readonly title: string
  readonly body: string
  readonly labels: readonly string[]
  readonly comments: string[]
  state: 'open' | 'closed'
}

/** Issues of GitHub's REST API: titles of 256, bodies of 65,536 characters. */
export class GithubStandIn implements Vendor {
  token = 'good'
  repository = 'acme/security'
  readonly issues: Issue[] = []

  serve({ method, path, headers, body, query }: Received): Reply {
    if (headers.authorization !== `Bearer ${this.token}`)
      return json(401, { message: 'Bad credentials' })
    const prefix = `/repos/${this.repository}/issues`
    if (!path.startsWith(prefix)) return json(404, { message: 'Not Found' })
    const [, number, what] = path.slice(prefix.length).split('/')
    const input = body.length === 0 ? {} : JSON.parse(body.toString())
    if (number === undefined) return method === 'GET' ? this.#list(query) : this.#create(input)
    const issue = this.issues.find((one) => String(one.number) === number)
    if (issue === undefined) return json(410, { message: 'This issue was deleted' })
    if (what === 'comments') {
      if (method === 'GET')
        return json(
          200,
          issue.comments.toReversed().map((text) => ({ body: text })),
        )
      if (!input.body || input.body.length > 65_536)
        return json(422, { message: 'body is too long' })
      issue.comments.push(input.body)
      return json(201, { id: issue.comments.length })
    }
    if (method === 'PATCH') issue.state = input.state
    return json(200, issue)
  }

  #list(query: URLSearchParams): Reply {
    const label = query.get('labels') ?? ''
    return json(200, this.issues.filter(({ labels }) => labels.includes(label)).toReversed())
  }

  #create(input: Pick<Issue, 'title' | 'body' | 'labels'>): Reply {
    const { title = '', body = '', labels = [] } = input
    const isLabel = labels.every((label) => label.length <= 50)
    if (title === '' || title.length > 256 || body.length > 65_536 || !isLabel) {
      return json(422, { message: 'Validation Failed' })
    }
    const issue: Issue = {
      ...{ number: this.issues.length + 1, title, body, labels, comments: [], state: 'open' },
    }
    this.issues.push(issue)
    return json(201, issue)
  }
}
