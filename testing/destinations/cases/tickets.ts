import { tellGithub } from '../../../lambdas/notify/github/tell-github.ts'
import { tellJira } from '../../../lambdas/notify/jira/tell-jira.ts'
import { FaultServer } from '../fault-server.ts'
import { GithubStandIn } from '../github.ts'
import { JiraStandIn } from '../jira.ts'
import { type CaseMaker, destinationOf, linesIn, subjectIn } from './case.ts'

export const jira: CaseMaker = {
  name: 'Jira',
  start: async (tls) => {
    const vendor = new JiraStandIn()
    const server = await FaultServer.start(vendor, tls)
    return {
      server,
      destination: destinationOf('jira', server.url, {
        ...{ project: 'SEC', 'done-transition': 'Done' },
      }),
      secret: { email: 'bot@example.com', token: 'good' },
      make: tellJira,
      seen: () =>
        vendor.issues.map(({ fields, status }) => ({
          subject: fields.labels.includes(`lanner-${'1'.repeat(40)}`) ? '1'.repeat(64) : '',
          state: status === 'Done' ? 'closed' : 'open',
        })),
      lines: () => linesIn(JSON.stringify(vendor.issues)),
      changeLogin: () => {
        vendor.login = `Basic ${Buffer.from('bot@example.com:new').toString('base64')}`
        return { email: 'bot@example.com', token: 'new' }
      },
      remove: () => {
        server.fault = () => ({ status: 404, body: 'Site not found' })
      },
      stop: () => server.stop(),
    }
  },
}

export const github: CaseMaker = {
  name: 'GitHub',
  start: async (tls) => {
    const vendor = new GithubStandIn()
    const server = await FaultServer.start(vendor, tls)
    return {
      server,
      destination: destinationOf('github', server.url, {
        ...{ repository: 'acme/security', 'close-issue': 'true' },
      }),
      secret: { token: 'good' },
      make: tellGithub,
      seen: () => vendor.issues.map(({ body, state }) => ({ subject: subjectIn(body), state })),
      lines: () => linesIn(JSON.stringify(vendor.issues)),
      changeLogin: () => {
        vendor.token = 'new'
        return { token: 'new' }
      },
      remove: () => {
        vendor.repository = 'acme/elsewhere'
      },
      markup: () =>
        vendor.issues
          .flatMap(({ body, comments }) => [body, ...comments])
          .flatMap((text) =>
            [
              ...openMarkdown(text).matchAll(
                /(?<![\w&#])@\w+|<(?!!--|https:)[a-z!/]\S*|!\[|\]\((?!https:\/\/attack|<https:\/\/lanner\.example\/)/gi,
              ),
            ].map(([found]) => found),
          ),
      stop: () => server.stop(),
    }
  },
}

/** Markdown without its code and its escaped signs, in which nothing is read. */
function openMarkdown(text: string): string {
  const blocks = text.replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
  let open = ''
  for (let at = 0; at < blocks.length; ) {
    const [run] = /^`+/.exec(blocks.slice(at, at + 200)) ?? []
    if (blocks[at] === '\\') at += 2
    else if (run === undefined) open += blocks[at++]
    else {
      const end = blocks.slice(at + run.length).search(new RegExp(`(?<!\`)${run}(?!\`)`))
      at += end < 0 ? run.length : end + 2 * run.length
    }
  }
  return open
}
