export type {
  Announcement,
  Batch,
  BatchCounters,
  BatchErrorCode,
  BatchHeader,
  BatchInfo,
  Compress,
  Decompress,
  LossPlace,
  SplitRecord,
} from './batch/index.ts'
export {
  appendAnnouncement,
  BatchError,
  batchLimit,
  batchTarget,
  bodyLimit,
  bytesToSign,
  countLimit,
  decodeBatch,
  encodeBatch,
  encodeFrame,
  FrameError,
  FrameReader,
  lossPlaces,
  readHeader,
  splitRecord,
  tokenLimit,
  withSignature,
} from './batch/index.ts'
export { decodeBytes, encodeText } from './bytes.ts'
export type {
  ArgValue,
  Container,
  FdKind,
  FileDescriptor,
  Group,
  Mount,
  Namespaces,
  Process,
  Socket,
  Stream,
  SyscallEvent,
  User,
  Workload,
} from './event.ts'
export { EventFlag, ExeFlag } from './event.ts'
export { type EventFacts, factsOf } from './event-facts.ts'
export type { EventParam, EventType } from './event-types.ts'
export { eventTypeId, eventTypes } from './event-types.ts'
export type { FieldInfo } from './field-catalogue.ts'
export { fieldCatalogue } from './field-catalogue.ts'
export type { FieldMap, FieldMapError, FieldMapResult } from './field-map.ts'
export { fieldMapSource, parseFieldMap } from './field-map.ts'
export type { FieldNameResult } from './field-name.ts'
export { parseFieldName } from './field-name.ts'
export type { FlagName } from './flag-tables.ts'
export { flagTables } from './flag-tables.ts'
export { toInteger } from './integer.ts'
export { canonicalIp } from './ip-text.ts'
export type { LineageStep } from './lineage.ts'
export { lineageOf, viaOf } from './lineage.ts'
export { nearestName } from './nearest.ts'
export type { Notice, NoticeKind } from './notice.ts'
export { canarySeconds, noticeKinds } from './notice.ts'
export { parameterTypes } from './parameter-types.ts'
export { quarantineLabel } from './quarantine-label.ts'
export { createSyscallSource, syscallSource, unfilledFields } from './syscall-source.ts'
export type { EventSource, Extractor, FieldRef, FieldType, Scalar, Value } from './value.ts'
