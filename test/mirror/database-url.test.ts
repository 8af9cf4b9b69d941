import { describe, expect, it } from 'vitest';
import { describeDatabase, postgresReason } from '../../src/mirror/database-url.ts';

const withCode = (message: string, code: string): Error => Object.assign(new Error(message), { code });

describe('what messages say of a database', () => {
  it.each([
    ['postgresql://me:secret@db.example:6432/builds?sslmode=require', 'db.example:6432/builds'],
    ['postgres://me@/builds', 'the configured address'],
    ['postgresql://me:secret@db.example/builds', 'db.example:5432/builds'],
    ['not a secret url', 'the configured address'],
  ])('%s is %s', (url, place) => {
    expect(describeDatabase(url)).toBe(place);
  });

  it.each([
    [withCode('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED'), 'ECONNREFUSED'],
    [new AggregateError([withCode('no', 'ECONNREFUSED')]), 'ECONNREFUSED'],
    [withCode('relation "x" does not exist', '42P01'), 'relation "x" does not exist (SQLSTATE 42P01)'],
    [new Error('Connection terminated unexpectedly'), 'Connection terminated unexpectedly'],
    [new Error('bad url postgresql://me:secret@db'), 'no connection'],
    ['secret', 'unknown reason'],
  ])('%s is told as %s', (error, reason) => {
    expect(postgresReason(error)).toBe(reason);
  });
});
