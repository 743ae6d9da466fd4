import { Logger } from '@aws-lambda-powertools/logger'
import { Metrics } from '@aws-lambda-powertools/metrics'

/** Logs as JSON lines, metrics in CloudWatch's embedded format, both named after the stage. */
export function observe(stage: string): { readonly logger: Logger; readonly metrics: Metrics } {
  return {
    logger: new Logger({ serviceName: stage }),
    metrics: new Metrics({ namespace: 'Lanner', serviceName: stage }),
  }
}
