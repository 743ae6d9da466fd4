import { MetricUnit } from '@aws-lambda-powertools/metrics'
import middy from '@middy/core'
import { observe } from '../shared/observe.ts'
import { contract } from './contract.ts'
import {
  frameRecords,
  type TransformationAnswer,
  type TransformationEvent,
} from './frame-records.ts'

const { metrics } = observe(contract.stage)

/** Records of the stream on their way into the lake, as frames. */
export const handler = middy<TransformationEvent, TransformationAnswer>().handler(async (event) => {
  const { records, figures } = frameRecords(event)
  metrics.addMetric('LakeBatches', MetricUnit.Count, figures.batches)
  metrics.addMetric('LakeBytes', MetricUnit.Bytes, figures.bytes)
  metrics.addMetric('LakeDropped', MetricUnit.Count, figures.dropped)
  metrics.publishStoredMetrics()
  return { records }
})
