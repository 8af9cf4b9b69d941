import { describe, expect, it } from 'vitest';
import type { HandoffReply } from '../../src/client/client.ts';
import { eventTable, handoffTable } from '../../src/demo/tables.ts';
import { widthOf } from '../../src/demo/text.ts';
import { row, started, texts } from './sample-rows.ts';

const handoffs = [
  row(
    5,
    'phase_completed',
    {},
    {
      from_role: 'verification_overseer',
      to_role: 'release_manager',
      from_state: 'verification',
      to_state: 'handoff_to_releaser',
    },
  ),
  row(11, 'sent_back', {}, { notes: 'tests failed: strips\naccents' }),
].flatMap(({ handoff }): HandoffReply[] => (handoff ? [handoff] : []));

const events = [
  started(7, 'verification', 'verification_overseer', 2),
  row(8, 'phase_completed', {
    ...{ from: 'verification', to: 'handoff_to_releaser', phase: 'verification', attempt: 2 },
    ...{ summary: 'approved', role: 'verification_overseer' },
  }),
  row(9, 'handoff_acknowledged', { from: 'handoff_to_releaser', to: 'deployment', role: 'release_manager' }),
  { ...row(10, 'completed', { from: 'deployment', to: 'complete', role: 'release_manager' }), undone: true },
];
const time = (at: string): string => new Date(at).toLocaleTimeString('en-GB');
const [t7 = '', t8 = '', t9 = '', t10 = ''] = events.map(({ timestamp }) => time(timestamp));

describe('the tables of the audit', () => {
  it('list the handoffs, with their reason below', () => {
    expect(texts(handoffTable(handoffs, 80))).toEqual([
      ' #  roles                                    states',
      '─'.repeat(79),
      ' 5  verification_overseer → release_manager  verification → handoff_to_releaser',
      '11  code_writer → test_auditor               implementation → handoff_to_tester',
      '    tests failed: strips accents',
    ]);
  });

  it('list the events; the note shares a line with a way that is too long', () => {
    expect(texts(eventTable(events, 80))).toEqual([
      ' #  time      event                 by                     from → to',
      '─'.repeat(80),
      ` 7  ${t7}  phase_started         verification_overseer  verification #2`,
      ` 8  ${t8}  phase_completed       verification_overseer  verification`,
      '    approved                                               → handoff_to_releaser',
      ` 9  ${t9}  handoff_acknowledged  release_manager        handoff_to_releaser`,
      '                                                           → deployment',
      `10  ${t10}  completed             release_manager        deployment → complete`,
      '    undone by a reset',
    ]);
  });

  it('need one line a row where there is room', () => {
    const lines = texts(eventTable(events, 120));
    expect(lines).toContain(
      ` 8  ${t8}  phase_completed       verification_overseer  verification → handoff_to_releaser`,
    );
    expect(lines).toContain('    approved');
  });

  it.each([40, 60, 80, 120])('are never wider than %i columns', (width) => {
    for (const line of texts([...eventTable(events, width), ...handoffTable(handoffs, width)])) {
      expect(widthOf(line)).toBeLessThanOrEqual(width);
    }
  });
});
