/* The page as a manager meets it, in Chromium, with real daemons behind it. run.sh has started a hub, nhsa and wales, and made the links by which ann
   enters at nhsa and bleddyn at wales; PAGE_HUB is the hub's process, which the last steps stop. */
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import {axe, failed, fits, launch, person, seen, shot, step, tabTo, visit} from './browser.mjs';

const links = {nhsa: process.env.PAGE_LINK_NHSA, wales: process.env.PAGE_LINK_WALES};
const origin = new URL(links.nhsa).origin, originWales = new URL(links.wales).origin;
const question = 'cell therapy manufacturing';

const browser = await launch();
const ann = await person(browser, origin);

async function enter(page, link) {
	await page.goto(link);
	/* A link must change nothing by being looked at: where there is a button, it is what enters. */
	const button = page.locator('form button, form input[type=submit]');
	if (await page.locator('#nav a').count() === 0 && await button.count() > 0) {
		assert.deepEqual(await axe(page), []);
		await shot(page, 'enter');
		await button.first().click();
	}
	await page.waitForSelector('#nav a');
}

const text = (page, selector) => page.locator(selector).first().innerText();

await step('she enters by her link, once', async () => {
	await enter(ann, links.nhsa);
	assert.match(await text(ann, '#who'), /ann@nhsa/);
	const stranger = await person(browser, origin);
	await stranger.goto(links.nhsa);
	const again = stranger.locator('form button, form input[type=submit]');
	if (await again.count() > 0)
		await again.first().click();
	await stranger.goto(origin + '/');
	await stranger.waitForFunction(() => /lyceum user invite/.test(document.body.textContent));
	await shot(stranger, 'outside');
	assert.deepEqual(await axe(stranger), []);
	await stranger.context().close();
});

const served = await ann.evaluate(async () => (await (await fetch('/v1/lyceum.v1.Node/Services', {method: 'POST', body: '{}',
	headers: {'Content-Type': 'application/json', 'Lyceum-Request': '1'}})).json()).service.map(one => one.name));
const has = name => served.includes(name);
const hasEvents = has('lyceum.convening.v1.Events'), hasMatching = has('lyceum.investment.v1.Matching'), hasAsk = has('lyceum.ask.v1.Ask');

await step('first paint', async () => {
	const paints = [];
	for (let i = 0; i < 5; i++) {
		await ann.reload();
		await ann.waitForSelector('#nav a');
		paints.push(await ann.evaluate(() => Math.round(performance.getEntriesByName('first-contentful-paint')[0].startTime)));
	}
	paints.sort((a, b) => a - b);
	assert(paints[2] < 3000, 'the first paint took ' + paints.join(', ') + ' ms');
	return 'after ' + paints.join(', ') + ' ms';
});

await step('the navigation shows what this node serves and nothing else', async () => {
	const names = await ann.locator('#nav a').allInnerTexts();
	assert.equal(names.some(name => /Agenda/.test(name)), hasEvents);
	assert.equal(names.some(name => /Ventures/.test(name)), hasMatching);
	return names.join(', ');
});

await step('it searches as one types, here at once, elsewhere as it arrives', async () => {
	await visit(ann, '#/experts');
	await ann.fill('#q', '');
	await ann.locator('#q').pressSequentially('cell therapy manufac', {delay: 15});
	await ann.waitForFunction(() => /Experts found: [1-9]/.test(document.querySelector('.count').textContent) && document.querySelector('.hit .why'));
	await ann.waitForFunction(() => document.querySelector('.nodes li.fresh[data-node=wales]'));
	await ann.evaluate(() => document.querySelector('.nodes li.fresh').setAttribute('data-before', ''));
	await ann.fill('#q', question);
	await ann.waitForFunction(() => document.querySelector('.nodes li.fresh[data-node=wales]:not([data-before])'));
	assert.match(await text(ann, '.nodes'), /nhsa here, in \d+ ms/);
	assert.match(await text(ann, '.nodes'), /wales answered in \d+ ms; its own people: \d+/);
	assert.match(await text(ann, '.hit .whose'), /kept by/);
	assert((await ann.locator('fieldset legend').allInnerTexts()).includes('Region'));
	await shot(ann, 'search-first');
});

await step('the points of the reasons sum to the score', async () => {
	const hits = await ann.locator('.hit').evaluateAll(items => items.map(item => ({
		parts: [...item.querySelectorAll('tbody .number')].map(cell => Number(cell.textContent.replace(/,/g, ''))),
		total: Number(item.querySelector('tfoot .number').textContent.replace(/,/g, ''))})));
	assert(hits.length >= 5);
	for (const {parts, total} of hits)
		assert.equal(parts.reduce((sum, one) => sum + one, 0), total);
	return hits.length + ' experts';
});

await step('a facet narrows, and the address keeps it', async () => {
	const before = Number((await text(ann, '.count')).replace(/\D/g, ''));
	await ann.getByLabel(/^Wales/).check();
	await ann.waitForFunction(old => { const now = Number(document.querySelector('.count').textContent.replace(/\D/g, '')); return now > 0 && now < old; }, before);
	assert.match(ann.url(), /region=Wales/);
	await ann.reload();
	await ann.waitForFunction(() => document.querySelector('.hit'));
	assert(await ann.getByLabel(/^Wales/).isChecked());
});

await step('a mistyped word is named and mended', async () => {
	await visit(ann, '#/experts?q=' + encodeURIComponent('cell thrapy'));
	await ann.getByRole('button', {name: /therapy/}).first().click();
	await ann.waitForFunction(() => document.getElementById('q').value === 'cell therapy');
});

await step('by the keyboard alone: search, card, short list, invitation', async () => {
	await ann.goto(origin + '/');
	await ann.waitForSelector('#nav a');
	await ann.evaluate(() => document.activeElement.blur());
	await tabTo(ann, '.skip');
	await tabTo(ann, 'nav a', 'Experts');
	await ann.keyboard.press('Enter');
	await ann.waitForFunction(() => document.activeElement && document.activeElement.id === 'q');
	await ann.keyboard.type(question);
	await ann.waitForSelector('.hit');
	await ann.waitForFunction(() => document.querySelector('.nodes li.fresh[data-node=wales]'));
	await tabTo(ann, '.hit h3 a');
	// Of the one that has the focus: the list may be sorted anew while other nodes answer.
	const name = await ann.evaluate(() => document.activeElement.textContent);
	await ann.keyboard.press('Enter');
	await ann.waitForFunction(who => document.activeElement.tagName === 'H1' && document.querySelector('h1').textContent === who && document.querySelector('.card .evidence'), name);
	await tabTo(ann, '.card .toggle');
	await ann.keyboard.press('Space');
	await ann.waitForSelector('.card .toggle[aria-pressed=true]');
	await ann.evaluate(() => document.getElementById('skip').focus());
	await tabTo(ann, 'nav a', 'Short list');
	await ann.keyboard.press('Enter');
	await ann.waitForSelector('.people li');
	assert.match(await text(ann, '.people'), new RegExp(name));
	if (!hasEvents)
		return name + ' (no events here)';
	await ann.waitForSelector('form select');
	await tabTo(ann, 'input');
	await ann.keyboard.type('Ben Lowe <ben@example.org>');
	await tabTo(ann, 'button', 'Look at the mail first');
	await ann.keyboard.press('Enter');
	await ann.waitForSelector('.mail');
	await shot(ann, 'invite-mail');
	await tabTo(ann, 'button[type=submit]', 'Send invitations');
	await ann.keyboard.press('Enter');
	await ann.waitForSelector('.panel .ok');
	await tabTo(ann, 'a', 'See who answered');
	await ann.keyboard.press('Enter');
	await ann.waitForFunction(who => /Invited: 2/.test(document.querySelector('main').textContent) &&
		[...document.querySelectorAll('tbody th')].some(one => one.textContent === who), name);
	if (has('lyceum.convening.v1.Mails'))
		await ann.waitForFunction(() => /Waiting: 0\. Sent: 1\. Failed: 0\./.test(document.querySelector('main').textContent), null, {timeout: 25000});
	await shot(ann, 'event-invited');
	return name;
});

/* The text of the first mail to somebody. */
async function mailTo(address) {
	for (let i = 0; i < 200; i++) {
		for (const name of fs.readdirSync(process.env.PAGE_MAIL).filter(one => one.endsWith('.mail'))) {
			const mail = fs.readFileSync(path.join(process.env.PAGE_MAIL, name), 'utf8');
			if (mail.startsWith(address))
				return mail;
		}
		await ann.waitForTimeout(100);
	}
	assert.fail('no mail came to ' + address);
}

if (hasEvents)
	await step('a guest answers by the link in the mail, and ann sees it', async () => {
		const [link] = /http:\S+\/r\/\S+/.exec(await mailTo('ben@example.org'));
		const ben = await person(browser, origin, {viewport: {width: 390, height: 700}});
		await ben.goto(link);
		await shot(ben, 'reply');
		assert.deepEqual(await axe(ben), []);
		await ben.getByRole('button', {name: 'Yes'}).click();
		await ben.waitForFunction(() => /Your answer: yes/.test(document.body.textContent));
		await shot(ben, 'reply-given');
		await ben.context().close();
		await ann.waitForFunction(() => [...document.querySelectorAll('tbody tr')].some(row => /Ben Lowe/.test(row.textContent) && /Has a seat/.test(row.textContent)));
		await ann.waitForFunction(() => /1 of 40 taken/.test(document.querySelector('.card').textContent));
		await shot(ann, 'event-answered');
	});

await step('a brief gives a ranked list', async () => {
	await visit(ann, '#/brief');
	await ann.getByLabel('The brief').fill(('We are planning a regional programme on the manufacturing of cell therapies. It needs people who know potency assays, closed-system ' +
		'expansion of T cells, the law of licences for such processes, and hospitals that have run trials. ').repeat(6));
	await ann.getByRole('button', {name: 'Rank the experts'}).click();
	await ann.waitForSelector('.ranked .hit');
	assert((await ann.locator('.ranked .hit').count()) >= 5);
	const kinds = new Set(await ann.locator('.ranked .hit .chip').allInnerTexts());
	assert(kinds.size >= 3, 'only ' + [...kinds].join(', '));
	await shot(ann, 'brief-ranked');
	return kinds.size + ' kinds of expert';
});

await step('an error is a sentence with the next step', async () => {
	await visit(ann, '#/expert/wales/nobody-at-all');
	await ann.waitForSelector('.failure');
	assert.match(await text(ann, '.failure'), /There is no expert .*It may have been withdrawn\. Go back and search again\./s);
});

await step('what a record says stays text', async () => {
	const marks = await ann.evaluate(async () => {
		const {h} = await import('/dom.js');
		const item = h('p', null, '<img src=x onerror=alert(1)>');
		return item.children.length;
	});
	assert.equal(marks, 0);
});

if (hasAsk)
	await step('one enquiry, answers of every service', async () => {
		await visit(ann, '#/');
		await ann.fill('#ask', question);
		await ann.keyboard.press('Enter');
		await ann.waitForFunction(() => /Answered: \d+ of \d+/.test(document.querySelector('.door .count').textContent));
		assert.match(await text(ann, '.answers'), /Experts/);
		await shot(ann, 'door-answered');
		return (await ann.locator('.answer h2').allInnerTexts()).join(', ');
	});

if (hasEvents)
	await step('an event is made, and she answers', async () => {
		await visit(ann, '#/agenda');
		await ann.getByText('Make an event of nhsa').click();
		await ann.getByLabel('Title').fill('Round table on potency assays');
		await ann.getByLabel('Start').fill(process.env.PAGE_DAY + 'T14:00');
		await ann.getByLabel('Place').fill('Assembly Rooms');
		await ann.getByRole('button', {name: 'Make the event'}).click();
		await ann.waitForSelector('.panel .ok a');
		await shot(ann, 'agenda-new');
		await ann.locator('.panel .ok a').click();
		await ann.waitForSelector('.rsvp');
		await ann.getByRole('button', {name: 'Yes'}).click();
		await ann.waitForFunction(() => document.querySelector('.rsvp .ok') && document.querySelector('.rsvp [aria-pressed=true]'));
		assert.match(await text(ann, '.rsvp'), /Has a seat/);
		await ann.waitForFunction(() => /ann@nhsa/.test(document.querySelector('main').textContent));
	});

const bleddyn = await person(browser, originWales, {viewport: {width: 320, height: 640}, colorScheme: 'dark', locale: 'cy-GB'});

await step('bleddyn enters at wales, in Welsh, on a phone', async () => {
	await enter(bleddyn, links.wales);
	assert.equal(await bleddyn.evaluate(() => document.documentElement.lang), 'cy');
	assert((await bleddyn.locator('#nav a').allInnerTexts()).includes('Arbenigwyr'));
});

if (hasMatching)
	await step('nobody is named before both have said yes, then both are', async () => {
		await visit(ann, '#/ventures');
		await ann.waitForSelector('.party');
		await shot(ann, 'ventures-blind');
		assert(!/Ceirios Therapeutics/.test(await text(ann, 'main')), 'the venture of wales is named in the market');
		await visit(ann, '#/proposals');
		await ann.getByText('Propose introductions').click();
		await ann.getByRole('button', {name: 'Propose', exact: true}).click();
		await ann.waitForSelector('.proposal');
		assert(!/Ceirios Therapeutics/.test(await text(ann, 'main')), 'the venture is named before anybody has said yes');
		await ann.locator('.proposal summary').first().click();
		await ann.waitForSelector('.proposal .points');
		await shot(ann, 'proposals-why');
		await ann.getByRole('button', {name: /^Say yes/}).first().click();
		await ann.waitForFunction(() => /waiting for the other side/.test(document.querySelector('.proposal').textContent));
		await visit(bleddyn, '#/proposals');
		await bleddyn.waitForSelector('.proposal');
		assert(!/Harbour Lane Angels/.test(await text(bleddyn, 'main')), 'the investor is named before wales has said yes');
		await bleddyn.getByRole('button', {name: /^Dweud ie/}).first().click();
		await ann.waitForFunction(() => /post@ceirios\.example/.test(document.querySelector('main').textContent), null, {timeout: 20000});
		await bleddyn.waitForFunction(() => /desk@harbour-lane\.example/.test(document.querySelector('main').textContent), null, {timeout: 20000});
		await shot(ann, 'proposals-introduced');
	});

/* Every view, in both guises: wide, light and English; 320 pixels, dark and Welsh. */
const events = hasEvents ? await ann.evaluate(async () => (await (await fetch('/v1/lyceum.convening.v1.Events/List', {method: 'POST', body: '{}',
	headers: {'Content-Type': 'application/json', 'Lyceum-Request': '1'}})).json()).meeting) : [];
const views = {door: '#/', search: '#/experts?q=' + encodeURIComponent(question), card: '#/expert/wales/wales-051', brief: '#/brief', list: '#/list',
	...(hasMatching ? {ventures: '#/ventures', proposals: '#/proposals'} : {}),
	...(hasEvents ? {agenda: '#/agenda', event: '#/event/' + events[0].home + '/' + events[0].id} : {}), network: '#/network'};
for (const [guise, page] of [['desktop', ann], ['phone-welsh-dark', bleddyn]]) {
	for (const [name, hash] of Object.entries(views)) {
		await step(name + ', ' + guise + ': accessible, and it fits', async () => {
			await visit(page, hash);
			await fits(page);
			await shot(page, name + '-' + guise);
			const found = await axe(page);
			assert.deepEqual(found, []);
		});
	}
}

await step('the same pages dark and wide, light and narrow', async () => {
	await ann.emulateMedia({colorScheme: 'dark'});
	await visit(ann, views.search);
	await ann.waitForSelector('.hit');
	await shot(ann, 'search-dark');
	assert.deepEqual(await axe(ann), []);
	await ann.emulateMedia({colorScheme: 'light'});
	await ann.setViewportSize({width: 320, height: 640});
	await visit(ann, views.card);
	await fits(ann);
	await shot(ann, 'card-phone');
	await ann.setViewportSize({width: 1280, height: 900});
});

await step('she may read it in Welsh, and it is remembered', async () => {
	await visit(ann, views.search);
	await ann.getByRole('button', {name: 'Cymraeg'}).click();
	await ann.waitForFunction(() => /Arbenigwyr a ganfuwyd: \d/.test(document.querySelector('main').textContent));
	await shot(ann, 'search-welsh');
	await ann.reload();
	await ann.waitForFunction(() => document.documentElement.lang === 'cy' && document.querySelector('#nav a'));
	await ann.getByRole('button', {name: 'English'}).click();
});

await step('without the hub it goes on, and says how old its copy is', async () => {
	process.kill(Number(process.env.PAGE_HUB), 'SIGTERM');
	await ann.waitForFunction(() => /The link to hub has been down/.test(document.getElementById('banner').textContent), null, {timeout: 20000});
	await visit(ann, '#/experts?q=potency');
	await ann.waitForSelector('.nodes li.silent');
	assert((await ann.locator('.hit').count()) > 0);
	assert.match(await text(ann, '.nodes li.silent'), /wales did not answer; our copy: (now|\d+ (s|min) ago)/);
	await shot(ann, 'search-without-hub');
	await visit(ann, '#/network');
	await ann.waitForFunction(() => /down/.test(document.querySelector('.links').textContent));
	await shot(ann, 'network-without-hub');
	assert.deepEqual(await axe(ann), []);
});

await step('she leaves, and is out', async () => {
	await ann.getByRole('button', {name: 'Leave'}).click();
	await ann.waitForFunction(() => /lyceum user invite/.test(document.querySelector('main').textContent));
	const status = await ann.evaluate(async () => (await fetch('/me')).status);
	assert.equal(status, 401);
});

await step('nothing was asked of another origin, the policy refused nothing, no script failed', async () => {
	assert.deepEqual([...seen.foreign], []);
	assert.deepEqual([...seen.policy], []);
	assert.deepEqual([...seen.errors], []);
});

await browser.close();
console.log(failed() === 0 ? 'the page holds' : failed() + ' steps failed');
process.exit(failed() === 0 ? 0 : 1);
