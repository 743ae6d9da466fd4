import {
  BatchImportFindingsCommand,
  type BatchImportFindingsCommandOutput,
  type SecurityHubClient,
} from '@aws-sdk/client-securityhub'
import { awsProblem } from '../delivery/aws-problem.ts'
import { DeliveryProblem } from '../delivery/problem.ts'
import type { MakeSender } from '../delivery/sender.ts'
import { buildFinding, type HubPlace } from './build-finding.ts'

/** One finding for each incident; the same id makes repeats harmless. */
export function tellSecurityHub(client: SecurityHubClient, place: HubPlace): MakeSender {
  return ({ destination, now }) => ({
    tell: async (notice) => {
      const Findings = [buildFinding(notice, place, now())]
      const abortSignal = AbortSignal.timeout(destination.timeoutMs)
      let answer: BatchImportFindingsCommandOutput
      try {
        answer = await client.send(new BatchImportFindingsCommand({ Findings }), { abortSignal })
      } catch (error) {
        throw awsProblem(error)
      }
      const [failed] = answer.FailedFindings ?? []
      if (failed === undefined) return { ref: null }
      const { ErrorCode: code = '', ErrorMessage: message = '' } = failed
      const kind = /Limit|Throttl/.test(code)
        ? 'later'
        : /Internal/.test(code)
          ? 'failed'
          : 'rejected'
      throw new DeliveryProblem(kind, `${code}: ${message}`)
    },
  })
}
