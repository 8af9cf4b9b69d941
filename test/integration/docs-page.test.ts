import { pino } from 'pino';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApi, startApi } from '../../src/compose/api.ts';
import { readConfig } from '../../src/config.ts';
import { describeInBrowser, openBrowser } from './fixtures/browser.ts';

/** Neither Temporal nor Postgres is needed to read about the API. */
const NOWHERE = { databaseUrl: 'postgresql://127.0.0.1:1/none', temporalAddress: '127.0.0.1:1' };

describeInBrowser('the page about the API, in a browser', () => {
  let api: RunningApi;
  let browser: Browser;

  beforeAll(async () => {
    api = await startApi({ config: readConfig({ PORT: '0' }), ...NOWHERE, log: pino({ level: 'silent' }) });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
  });

  /** Opens the page; `complaints` are what the browser says of it, `requests` all that it asked for. */
  async function openPage(width: number, colorScheme: 'light' | 'dark' = 'light') {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(`${api.url}/docs`);
    return { page, complaints, requests };
  }

  const widthOf = (page: Page): Promise<number> => page.evaluate('document.documentElement.scrollWidth');

  it('asks for nothing but itself, and the browser finds no fault with it', async () => {
    const { page, complaints, requests } = await openPage(1280);
    expect(await page.title()).toContain('API');
    expect(requests).toEqual([`${api.url}/docs`]);
    expect(complaints).toEqual([]);
  });

  it('is styled: its style sheet passes the content security policy', async () => {
    const { page } = await openPage(1280);
    const font = await page.evaluate('getComputedStyle(document.body).fontFamily');
    expect(String(font)).toContain('sans-serif');
  });

  it('leads from a call of the list to its section', async () => {
    const { page } = await openPage(1280);
    await page.locator('nav').getByRole('link', { name: 'request-retry' }).click();
    const heading = page.locator(new URL(page.url()).hash);
    expect(await heading.textContent()).toContain('request-retry');
    expect((await heading.boundingBox())?.y).toBeLessThan(900);
  });

  it.each([1280, 390])('fits a window of %i px without scrolling sideways', async (width) => {
    const { page } = await openPage(width);
    expect(await widthOf(page)).toBeLessThanOrEqual(width);
  });

  it('is dark where the reader wants it dark', async () => {
    const paper = ({ page }: { page: Page }) => page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(await paper(await openPage(1280, 'dark'))).not.toBe(await paper(await openPage(1280, 'light')));
  });
});
