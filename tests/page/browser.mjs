/* What the steps of test_page.mjs share: Chromium, a watch over everything that the page asks for, the keyboard, axe, screenshots. */
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';

const require = createRequire(path.join(process.env.PAGE_MODULES, 'package.json'));
const {chromium} = require('playwright-core');
const axeSource = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.PAGE_SHOTS;

/* Everything that a browser of this test asked for or complained of. */
export const seen = {foreign: new Set(), policy: new Set(), errors: new Set()};

export async function launch() {
	fs.mkdirSync(shots, {recursive: true});
	return chromium.launch({executablePath: process.env.PAGE_CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking']});
}

/* How many requests of a page are under way. */
const busy = new Map();

/* A person's browser: its own cookies and storage. `origin` is the only one that it may talk to. */
export async function person(browser, origin, options) {
	const context = await browser.newContext({viewport: {width: 1280, height: 900}, locale: 'en-GB', timezoneId: 'Europe/London', ...options});
	context.setDefaultTimeout(15000);
	context.on('request', request => {
		if (new URL(request.url()).origin !== origin && !request.url().startsWith('data:'))
			seen.foreign.add(request.url());
	});
	await context.exposeBinding('tellPolicy', (source, text) => seen.policy.add(text));
	await context.addInitScript(() => addEventListener('securitypolicyviolation', event =>
		window.tellPolicy(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile)));
	const page = await context.newPage();
	for (const [name, change] of [['request', 1], ['requestfinished', -1], ['requestfailed', -1]])
		page.on(name, () => busy.set(page, Math.max(0, (busy.get(page) || 0) + change)));
	/* What a page that is left had asked for is never told of. */
	page.on('domcontentloaded', () => busy.set(page, 0));
	page.on('pageerror', error => seen.errors.add(error.stack || String(error)));
	return page;
}

/* Waits until a page has asked nothing for a moment: longer than the search waits before it asks the other nodes. */
async function settle(page) {
	const ends = Date.now() + 5000;
	for (let quiet = 0; quiet < 10 && Date.now() < ends;) {
		await page.waitForTimeout(40);
		quiet = busy.get(page) ? 0 : quiet + 1;
	}
}

/* Goes to a view by its address and waits until it has its heading and asks nothing more. */
export async function visit(page, hash) {
	await page.evaluate(to => { location.hash = to; }, hash);
	await page.waitForFunction(to => location.hash.startsWith(to.split('?')[0]) && document.querySelector('main h1'), hash);
	await settle(page);
}

export async function shot(page, name) {
	await page.screenshot({path: path.join(shots, name + '.png'), fullPage: true});
}

/* What axe finds by the rules of WCAG 2.2 A and AA, as lines. */
export async function axe(page) {
	if (!await page.evaluate(() => 'axe' in window))
		await page.evaluate(axeSource);
	const {violations} = await page.evaluate(() => window.axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations']}));
	return violations.flatMap(one => one.nodes.map(node => one.id + ': ' + node.html.slice(0, 160) + ' | ' + (node.any[0] || node.all[0] || node.none[0] || {message: ''}).message));
}

/* Nothing has to be scrolled sideways. */
export async function fits(page) {
	const {held, width} = await page.evaluate(() => ({held: document.documentElement.scrollWidth, width: innerWidth}));
	assert(held <= width, 'the page is ' + held + ' pixels wide in a window of ' + width);
}

/* Presses Tab until the focus is on what `selector` (and `text` in its name) describes; each stop must be visible as such. */
export async function tabTo(page, selector, text = '', most = 80) {
	for (let i = 0; i < most; i++) {
		await page.keyboard.press('Tab');
		const state = await page.evaluate(([wanted, part]) => {
			const now = document.activeElement;
			if (!now || now === document.body)
				return {};
			const box = now.getBoundingClientRect();
			return {isIt: now.matches(wanted) && (now.textContent + (now.getAttribute('aria-label') || '')).includes(part),
				isMarked: getComputedStyle(now).outlineStyle !== 'none', isSeen: box.width > 0 && box.height > 0, html: now.outerHTML.slice(0, 120)};
		}, [selector, text]);
		if (state.html)
			assert(state.isSeen && state.isMarked, 'the focus cannot be seen on ' + state.html);
		if (state.isIt)
			return;
	}
	assert.fail('Tab does not come to ' + selector + ' ' + text);
}

const results = [];

/* One claim. Its failure is kept and told at the end; the others still run. */
export async function step(name, run) {
	const before = Date.now();
	try {
		const note = await run();
		console.log('ok     ' + name + (note ? ': ' + note : '') + ' (' + (Date.now() - before) + ' ms)');
		results.push(true);
	} catch (error) {
		console.log('FAILED ' + name + ': ' + (error.stack || error));
		results.push(false);
	}
}

export const failed = () => results.filter(one => !one).length;
