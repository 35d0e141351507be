/* The front door: one enquiry, and every service that can answer does: experts, ventures, events. Where no node serves enquiries, the question goes to the
   search. */
import {call, showFailure} from './api.js';
import {add, h, heading, replace, said} from './dom.js';
import {number, word} from './format.js';
import {whose} from './hits.js';
import {serves} from './node.js';
import {t} from './texts.js';

const ASK = 'lyceum.ask.v1.Ask';

/* Where an item of each kind is opened. */
const addresses = {
	experts: item => '#/expert/' + encodeURIComponent(item.home) + '/' + encodeURIComponent(item.ref),
	events: item => '#/event/' + encodeURIComponent(item.home) + '/' + encodeURIComponent(item.ref),
	ventures: () => '#/ventures',
};

export function askView(room, words, params) {
	const box = h('textarea', {rows: 2, maxlength: 20000, id: 'ask', value: params.get('q') || ''});
	const status = h('p', {class: 'count', role: 'status'});
	const answers = h('div', {class: 'answers'});

	async function ask() {
		const text = box.value.trim();
		if (!text)
			return box.focus();
		if (!serves(ASK)) {
			location.hash = '#/experts?' + new URLSearchParams({q: text});
			return;
		}
		history.replaceState(null, '', '#/?' + new URLSearchParams({q: text.slice(0, 1000)}));
		status.textContent = t('ask.working');
		replace(answers);
		try {
			const {reply, ms} = await call(ASK + '/Ask', {text, limit: 5}, {timeoutMs: 5000});
			status.textContent = t('ask.answered', {ms});
			replace(answers, (reply.answer || []).map(section), silent(reply));
		} catch (error) {
			status.textContent = '';
			showFailure(answers, error);
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
	if (box.value)
		ask();
	else
		queueMicrotask(() => box.focus());
}

function ways() {
	return serves('lyceum.experts.v1.ExpertSearch') && [h('a', {class: 'button quiet', href: '#/experts'}, t('ask.toFind')), h('a', {class: 'button quiet', href: '#/brief'}, t('ask.toBrief'))];
}

/* What one service has for the enquiry. */
function section(answer) {
	const open = addresses[answer.kind];
	const items = answer.item || [];
	return h('section', {class: 'answer'}, h('h2', null, word('answer', answer.kind), ' ', h('span', {class: 'tally'}, number(answer.total || items.length))),
		answer.note && h('p', {class: 'small'}, said(answer.note)),
		items.length === 0 ? h('p', null, t('ask.nothing')) : h('ol', {class: 'plain'}, items.map(item => h('li', null,
			h('h3', null, open ? h('a', {href: open(item)}, item.title || item.ref) : item.title || item.ref),
			item.subtitle && h('p', {class: 'line'}, item.subtitle), item.why && h('p', {class: 'small'}, said(item.why)),
			item.home && whose(item.home, item.label)))));
}

/* Who did not answer in time. */
function silent(reply) {
	const list = reply.silent || [];
	return list.length > 0 && h('div', {class: 'notice'}, h('p', null, t('ask.partial')), h('ul', null, list.map(one => h('li', null, said(typeof one === 'string' ? one : [one.name, one.text].filter(Boolean).join(': '))))));
}
