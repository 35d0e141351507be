/* The front door: one enquiry, and every service that can answer does: experts, ventures, events. This node's own services answer at once; then every
   node is asked, and what is new is added as it arrives. Where no node serves enquiries, the question goes to the search of experts. */
import {call, showFailure} from './api.js';
import {add, h, heading, replace, said} from './dom.js';
import {localTime, number, word} from './format.js';
import {whose} from './hits.js';
import {me, serves} from './node.js';
import {t} from './texts.js';

const ASK = 'lyceum.ask.v1.Ask';
const SHOWN = 5;

/* Where an item of each kind is opened. */
const addresses = {
	experts: item => '#/expert/' + encodeURIComponent(item.home) + '/' + encodeURIComponent(item.ref),
	events: item => '#/event/' + encodeURIComponent(item.home) + '/' + encodeURIComponent(item.ref.replace(/@.*$/, '')),
	ventures: () => '#/ventures',
};

export function askView(room, words, params) {
	const box = h('textarea', {rows: 2, maxlength: 20000, id: 'ask', value: params.get('q') || ''});
	const status = h('p', {class: 'count', role: 'status'});
	const answers = h('div', {class: 'answers'});
	let turn = 0;

	async function ask() {
		const text = box.value.trim();
		if (!text)
			return box.focus();
		if (!serves(ASK)) {
			location.hash = '#/experts?' + new URLSearchParams({q: text.slice(0, 2000)});
			return;
		}
		const mine = ++turn;
		history.replaceState(null, '', '#/?' + new URLSearchParams({q: text.slice(0, 1000)}));
		status.textContent = t('ask.working');
		replace(answers);
		try {
			const here = await call(ASK + '/Ask', {text, limit: SHOWN}, {timeoutMs: 3000});
			if (mine !== turn)
				return;
			status.textContent = t('ask.here', {node: me.node, ms: here.ms});
			draw(answers, [here.reply]);
			const all = await call(ASK + '/Ask', {text, limit: SHOWN, everywhere: true}, {timeoutMs: 4000});
			if (mine !== turn)
				return;
			status.textContent = t('ask.everywhere', {answered: all.reply.answered || 0, asked: all.reply.asked || 0, ms: all.ms});
			draw(answers, [here.reply, all.reply]);
		} catch (error) {
			if (mine !== turn)
				return;
			if (!answers.firstChild)
				return showFailure(answers, error);
			const below = h('div');
			add(answers, below);
			showFailure(below, error);
		}
	}

	add(room, h('div', {class: 'door'}, heading(t('ask.title')), h('p', {class: 'lead'}, t(serves(ASK) ? 'ask.lead' : 'ask.leadExperts')),
		h('form', {role: 'search', onsubmit: event => { event.preventDefault(); ask(); }}, h('label', {for: 'ask', class: 'hidden'}, t('ask.label')), box,
			h('div', {class: 'row'}, h('button', {type: 'submit', class: 'primary'}, t('ask.ask')), ways())), status), answers);
	/* Enter asks; with Shift it makes a new line. */
	box.addEventListener('keydown', event => {
		if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
			event.preventDefault();
			ask();
		}
	});
	if (box.value) {
		ask();
	} else {
		today(answers);
		queueMicrotask(() => box.focus());
	}
	return () => { turn++; };
}

function ways() {
	return serves('lyceum.experts.v1.ExpertSearch') && [h('a', {class: 'button quiet', href: '#/experts'}, t('ask.toFind')), h('a', {class: 'button quiet', href: '#/brief'}, t('ask.toBrief'))];
}

/* One section for each kind, with what all replies have of it; an item that several nodes name is shown once. */
function draw(room, replies) {
	const kinds = new Map(), silent = new Map();
	for (const answer of replies.flatMap(reply => reply.answer || [])) {
		if (!answer.kind) {
			silent.set(answer.service + ' ' + answer.node, answer);
			continue;
		}
		const kind = kinds.get(answer.kind) || {kind: answer.kind, total: 0, items: new Map()};
		kind.total = Math.max(kind.total, answer.total || 0);
		for (const item of answer.item || [])
			if (!kind.items.has(item.home + ' ' + item.ref))
				kind.items.set(item.home + ' ' + item.ref, item);
		kinds.set(answer.kind, kind);
	}
	replace(room, [...kinds.values()].map(section), silent.size > 0 && h('div', {class: 'notice'}, h('p', null, t('ask.partial')),
		h('ul', null, [...silent.values()].map(one => h('li', null, h('strong', null, one.node), ' ', said(one.service.split('.')[1] + ': ' + (one.outcome || '')))))));
}

function section({kind, total, items}) {
	const open = addresses[kind];
	return h('section', {class: 'answer'}, h('h2', null, word('answer', kind), ' ', h('span', {class: 'tally'}, number(Math.max(total, items.size)))),
		items.size === 0 ? h('p', null, t('ask.nothing')) : h('ol', {class: 'plain'}, [...items.values()].map(item => h('li', null,
			h('h3', null, open ? h('a', {href: open(item)}, item.title || item.ref) : item.title || item.ref),
			item.subtitle && h('p', {class: 'line'}, item.subtitle), item.why && h('p', {class: 'small'}, said(item.why)),
			item.home && whose(item.home, item.label)))));
}

/* What there is to do today: the next meetings, and introductions that wait for a yes of ours. Whatever cannot be had is left out. */
async function today(room) {
	const meetings = serves('lyceum.convening.v1.Events') && call('lyceum.convening.v1.Events/List', {limit: 3}).then(({reply}) => (reply.meeting || []).length > 0 &&
		h('section', {class: 'panel'}, h('h2', null, t('today.meetings')), h('ul', {class: 'plain'}, reply.meeting.map(one => h('li', null,
			h('a', {href: addresses.events({home: one.home, ref: one.id})}, one.title), h('p', {class: 'small'}, localTime(one.start, one.zone), one.place && ' · ' + one.place))))));
	const proposals = serves('lyceum.investment.v1.Matching') && call('lyceum.investment.v1.Matching/ListProposals', {}).then(({reply}) => {
		const waiting = (reply.proposal || []).filter(one => one.mayOptIn).length;
		return waiting > 0 && h('section', {class: 'panel'}, h('h2', null, t('nav.proposals')), h('p', null, h('a', {href: '#/proposals'}, t('today.proposals', {n: waiting}))));
	});
	const parts = await Promise.allSettled([meetings, proposals]);
	if (room.isConnected && !room.firstChild)
		add(room, parts.map(part => part.status === 'fulfilled' && part.value));
}
