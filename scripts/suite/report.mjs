// What the suite found: a line a scenario run, what failed or warned beneath it, and a total.
//
//   node report.mjs RESULTS FLOOR RUNS [PREFIX]
//
// RESULTS holds a folder a wire: in it `planned.txt` with the scenarios, and the folder that the suite made for each, whose
// name begins with PREFIX and the scenario's.
// Exits with 1 on any failure or warning, on fewer passed checks than FLOOR, or on fewer scenario runs than RUNS.
import fs from 'node:fs';
import path from 'node:path';

const [results, floor, runs] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const beginning = process.argv[5] ?? 'server-';
const total = { passed: 0, failed: 0, warned: 0, skipped: 0, runs: 0 };
const kinds = { SUCCESS: 'passed', FAILURE: 'failed', WARNING: 'warned', SKIPPED: 'skipped' };

/** The checks of the last run of a scenario, whose folder ends in the time at which it began. */
function checksOf(folder, scenario) {
  const prefix = `${beginning}${scenario}-2`;
  const found = fs.readdirSync(folder).filter((name) => name.startsWith(prefix)).sort().at(-1);
  const file = found && path.join(folder, found, 'checks.json');
  if (file && fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, 'utf8'));
  return [{ id: 'no-result', status: 'FAILURE', errorMessage: 'the suite left no result of this scenario' }];
}

for (const wire of fs.readdirSync(results).sort()) {
  const folder = path.join(results, wire);
  const plan = path.join(folder, 'planned.txt');
  if (!fs.existsSync(plan)) continue;
  for (const scenario of fs.readFileSync(plan, 'utf8').split('\n').filter(Boolean)) {
    const count = { passed: 0, failed: 0, warned: 0, skipped: 0 };
    const told = [];
    for (const check of checksOf(folder, scenario)) {
      const kind = kinds[check.status];
      if (!kind) continue; // INFO is only told by the suite's own output
      count[kind] += 1;
      total[kind] += 1;
      if (kind === 'failed' || kind === 'warned') {
        const why = String(check.errorMessage ?? check.description ?? '').replace(/\s+/g, ' ').slice(0, 600);
        told.push(`      ${check.status} ${check.id}: ${why}`);
      }
    }
    total.runs += 1;
    const verdict = count.failed ? 'FAILED' : count.warned ? 'warned' : count.passed ? 'ok' : 'empty';
    const counts = Object.entries(count).filter(([kind, n]) => n || kind === 'passed').map(([kind, n]) => `${n} ${kind}`);
    console.log(`${verdict.padEnd(6)} ${wire} ${scenario.padEnd(46)} ${counts.join(', ')}`);
    for (const line of told) console.log(line);
  }
}

console.log(
  `\nconformance: ${total.passed} passed, ${total.failed} failed, ${total.warned} warned, ` +
    `${total.skipped} skipped in ${total.runs} scenario runs`,
);
const short = total.passed < floor || total.runs < runs;
if (short) console.log(`below the full score: at least ${floor} checks passed, in at least ${runs} scenario runs`);
process.exitCode = total.failed || total.warned || short || !total.runs ? 1 : 0;
