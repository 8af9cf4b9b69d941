import { describe, expect, it } from 'vitest';
import { promptView } from '../../src/machine/prompt-view.ts';
import { conversationOf } from '../../src/machine/snapshot.ts';
import {
  advancing,
  apply,
  buildIn,
  implementing,
  measured,
  parkedIn,
  play,
  RESULTS,
  retrying,
  rollingBack,
  start,
  startExternal,
} from './sample-builds.ts';

describe('what a prompt is made from', () => {
  it('is the current phase’s, in a handoff state the receiver’s with the attempt that is about to begin', () => {
    const phase = buildIn('implementation', startExternal());
    expect(promptView(phase)).toMatchObject({ phase: 'implementation', role: 'code_writer', attempt: 1 });
    const handoff = buildIn('handoff_to_coder', startExternal());
    expect(promptView(handoff)).toMatchObject({ phase: 'implementation', role: 'code_writer', attempt: 1 });
    const back = apply(buildIn('handoff_to_tester', startExternal()), retrying()).build;
    expect(promptView(back)).toMatchObject({ phase: 'implementation', role: 'code_writer', attempt: 2 });
  });

  it('is in error the failed phase’s, and nothing once the build is over', () => {
    expect(promptView(parkedIn('testing'))).toMatchObject({ phase: 'testing', role: 'test_auditor', attempt: 1 });
    expect(promptView(buildIn('complete'))).toBeNull();
  });

  it('has the measured run that an external tester judges by', () => {
    const external = start({ externalRoles: ['test_auditor'] });
    const running = apply(buildIn('implementation', external), implementing()).build;
    expect(promptView(running)?.measurement).toBeNull();
    const { build } = apply(running, measured(true, 91));
    expect(promptView(build)?.measurement).toMatchObject({ passed: true, coverage: 91 });
  });
});

describe('what an outside agent said', () => {
  const said = (text: string) => ({ aiResponse: { kind: 'inline', value: text } }) as const;
  const discovered = apply(
    startExternal(),
    advancing('q_assistant', 'discovery', RESULTS.discovery, said('three requirements')),
  ).build;
  const planned = apply(discovered, advancing('q_assistant', 'planning', RESULTS.planning, said('one function'))).build;
  const conversation = (build: typeof planned) => conversationOf(promptView(build)?.build ?? planned);

  it('joins the conversation beside the result', () => {
    expect(conversation(planned)).toMatchObject([
      { phase: 'discovery', content: { value: RESULTS.discovery }, ...said('three requirements') },
      { phase: 'planning', content: { value: RESULTS.planning }, ...said('one function') },
    ]);
  });

  it('stays after a retry and leaves with a rollback', () => {
    expect(conversation(play(planned, retrying()).build)).toMatchObject([
      said('three requirements'),
      said('one function'),
    ]);
    expect(conversation(play(planned, rollingBack('planning')).build)).toMatchObject([said('three requirements')]);
    expect(conversation(play(planned, rollingBack('planning')).build)).toHaveLength(1);
  });
});
