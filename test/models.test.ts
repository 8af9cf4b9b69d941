import { describe, expect, test } from 'vitest';
import { AppError } from '../src/errors.ts';
import { CLAUDE_MODEL, type Providers, routeModel } from '../src/models.ts';

const ALL: Providers = {
  openai: { apiKey: 'key-o' },
  anthropic: { apiKey: 'key-a' },
  local: { baseUrl: 'http://127.0.0.1:11434/v1' },
  simulated: { baseUrl: 'http://127.0.0.1:9/v1' },
};

function refusalOf(name: string, providers: Providers): string {
  try {
    return `accepted ${JSON.stringify(routeModel(name, providers))}`;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'model_unavailable') throw error;
    return error.message;
  }
}

describe('a model name finds its provider', () => {
  test.each([
    ['gpt-4', 'openai', 'gpt-4'],
    ['gpt-3.5-turbo', 'openai', 'gpt-3.5-turbo'],
    ['GPT-4', 'openai', 'GPT-4'],
    ['o1', 'openai', 'o1'],
    ['o3-mini', 'openai', 'o3-mini'],
    ['o4-mini', 'openai', 'o4-mini'],
    ['chatgpt-4o-latest', 'openai', 'chatgpt-4o-latest'],
    ['claude', 'anthropic', CLAUDE_MODEL],
    ['claude-opus-4-1', 'anthropic', 'claude-opus-4-1'],
    ['local', 'local', 'local'],
    ['local/qwen2.5:7b', 'local', 'qwen2.5:7b'],
    ['llama3', 'local', 'llama3'],
    ['localhost-model', 'local', 'localhost-model'],
  ])('%s → %s as %s', (name, provider, model) => {
    expect(routeModel(name, ALL)).toMatchObject({ provider, model });
  });

  test('each provider has its own endpoint and key', () => {
    expect(routeModel('gpt-4', ALL)).toMatchObject({ baseUrl: 'https://api.openai.com/v1', apiKey: 'key-o' });
    expect(routeModel('claude', ALL)).toMatchObject({ baseUrl: 'https://api.anthropic.com/v1/', apiKey: 'key-a' });
    expect(routeModel('local', ALL).baseUrl).toBe('http://127.0.0.1:11434/v1');
    expect(routeModel('local', ALL).apiKey).not.toMatch(/key-[oa]/);
  });

  test('a configured base URL is used', () => {
    const anthropic = { apiKey: 'a', baseUrl: 'http://proxy.test/v1' };
    expect(routeModel('claude', { anthropic }).baseUrl).toBe('http://proxy.test/v1');
  });

  test('a name of no known family prefers an OpenAI-compatible endpoint of the user', () => {
    const openai = { apiKey: 'o', baseUrl: 'http://own.test/v1' };
    expect(routeModel('mistral-large', { ...ALL, openai })).toMatchObject({
      provider: 'openai',
      model: 'mistral-large',
    });
  });

  test.each(['gpt-4', 'claude', 'local', 'anything'])('%s is simulated when nothing else is configured', (name) => {
    const { simulated } = ALL;
    expect(routeModel(name, simulated ? { simulated } : {})).toMatchObject({ provider: 'simulated', model: name });
  });
});

describe('a name that nothing serves is refused with the variable to set', () => {
  test.each([
    ['gpt-4', { local: { baseUrl: 'x' } }, /"gpt-4" needs the provider openai.*set OPENAI_API_KEY.*configured: local/],
    ['claude', { openai: { apiKey: 'x' } }, /set ANTHROPIC_API_KEY/],
    ['local', { openai: { apiKey: 'x' } }, /set LOCAL_MODEL_BASE_URL/],
    ['mistral', { openai: { apiKey: 'x' } }, /no known provider: set OPENAI_BASE_URL .*LOCAL_MODEL_BASE_URL/],
    ['gpt-4', {}, /configured: none/],
    [' ', ALL, /empty/],
  ] as [string, Providers, RegExp][])('%j', (name, providers, message) => {
    expect(refusalOf(name, providers)).toMatch(message);
  });

  test('and is not repeated at length, nor with control characters', () => {
    const message = refusalOf(`x\u001b${'y'.repeat(5000)}`, {});
    expect(message).not.toContain('\u001b');
    expect(message.length).toBeLessThan(400);
  });
});
