import { features, type KernelResult } from './matrix.ts'

/** The support table (docs/support.md) of what the kernels showed. */
export function supportTable(results: readonly KernelResult[]): string {
  return [
    '# Where it runs',
    '',
    'Made by `npm run test:long` (`testing/kernels`), not by hand. *Verified*: the image ran on that kernel, sensor and',
    'unprivileged agent, and every probe of the group was seen. *Inferred*: the same kernel series was verified, the rest of the',
    'system was not there to try. *Not verified*: nobody tried, nothing is claimed.',
    '',
    '## Kernels',
    '',
    "Stock kernels of Debian in a virtual machine (qemu; arm64 with the core of Graviton2), booted into the image's own files.",
    '',
    ...kernelRows(results),
    '',
    ...words(results),
    'The least is Linux 5.18 with BTF. Beside these, the whole suite runs live on the machine that builds it.',
    '',
    '## Nodes of EKS',
    '',
    '| node | x86-64 | arm64 | |',
    '|---|---|---|---|',
    ...nodeRows(results),
    '',
  ].join('\n')
}

const names = { amd64: 'x86-64', arm64: 'arm64' } as const

function kernelRows(results: readonly KernelResult[]): string[] {
  const groups = Object.keys(features)
  const columns = ['kernel', 'architecture', 'loads', ...groups, 'agent killed']
  return [
    row(columns),
    row(columns.map(() => '---')),
    ...results.map((result) =>
      row([
        result.release,
        names[result.architecture],
        result.loads ? 'verified' : 'no, says why',
        ...groups.map((group) => cell(result, group)),
        result.loads ? (result.restarts ? 'verified' : 'no') : '–',
      ]),
    ),
  ]
}

function cell({ loads, seen }: KernelResult, group: string): string {
  const found = seen[group]
  if (!loads) return '–'
  if (found === 'all') return 'verified'
  const missing = features[group]!.filter((name) => !found?.includes(name))
  return missing.length === features[group]!.length ? 'not seen' : `without ${missing.join(', ')}`
}

/** What the sensor said on kernels that it warned of. */
function words(results: readonly KernelResult[]): string[] {
  const lines = results
    .filter(({ words }) => words.length > 0)
    .map(({ release, words }) => `- ${release}: ${words.join('; ')}`)
  return lines.length === 0 ? [] : ['What the sensor says there:', '', ...lines, '']
}

interface Node {
  readonly name: string
  /** Kernel series that it has, oldest first. */
  readonly series: readonly string[]
  readonly remark: string
  readonly architectures?: readonly KernelResult['architecture'][]
}

/** Kernels as the vendors document them; none of these systems was at hand. */
const nodes: readonly Node[] = [
  { name: 'Amazon Linux 2023', series: ['6.1', '6.12'], remark: '' },
  {
    name: 'Bottlerocket with 6.1 or 6.12',
    series: ['6.1', '6.12'],
    remark: 'set `seLinuxType: super_t`; that the policy allows it then is not verified',
  },
  {
    name: 'Auto Mode (Bottlerocket)',
    series: ['6.1', '6.12'],
    remark: 'as Bottlerocket; its managed nodes may admit less',
  },
  { name: 'Amazon Linux 2', series: ['5.10'], remark: 'end of support; kernel too old' },
  {
    name: 'Bottlerocket with 5.10 or 5.15',
    series: ['5.10'],
    remark: 'kernel too old: both lack bpf_loop',
  },
  { name: 'Fargate', series: [], remark: 'no DaemonSet, no BPF' },
  { name: 'Windows', series: [], remark: 'no BPF of this kind' },
]

function nodeRows(results: readonly KernelResult[]): string[] {
  return nodes.map(({ name, series, remark }) =>
    row([name, judge('amd64', series, results), judge('arm64', series, results), remark]),
  )
}

/** A system is as good as its kernels: inferred where all of them are verified. */
function judge(
  architecture: KernelResult['architecture'],
  series: readonly string[],
  results: readonly KernelResult[],
): string {
  if (series.length === 0) return 'no'
  const found = series.map((each) =>
    results.find((result) => result.architecture === architecture && isOf(result, each)),
  )
  if (found.some((result) => result === undefined)) return 'not verified'
  return found.every((result) => result?.loads) ? 'inferred' : 'no (inferred)'
}

function isOf({ release }: KernelResult, series: string): boolean {
  return release.startsWith(`${series}.`)
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
