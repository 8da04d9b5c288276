import { expect, test } from 'bun:test';
import { readCases } from './junit.ts';

test('readCases() reads what bun has written', () => {
  const xml = `<testsuites name="bun test" tests="3" failures="1" skipped="1" time="0.6">
  <testsuite name="b.test.ts" file="b.test.ts" tests="3">
    <testcase name="is &lt;good&gt;" classname="" time="0.5" file="b.test.ts" line="2" assertions="1" />
    <testcase name="(unnamed)" classname="x" time="0.1" file="b.test.ts" assertions="0">
      <failure type="Error" message="Error: a &quot;b&quot;&#10;c">Error: a&#10;      at b.test.ts:3:41&#10;</failure>
    </testcase>
    <testcase name="later" classname="x" time="0" file="b.test.ts" line="3" assertions="0">
      <skipped message="TODO" />
    </testcase>
  </testsuite>
</testsuites>`;
  expect(readCases(xml)).toEqual([
    { name: 'is <good>', outcome: 'passed', seconds: 0.5 },
    { name: '(unnamed)', outcome: 'failed', seconds: 0.1, message: 'Error: a "b"\nc' },
    { name: 'later', outcome: 'skipped', seconds: 0 },
  ]);
  expect(readCases('')).toEqual([]);
});
