/* Proposed introductions: what is waiting for a yes of ours, why each was proposed, and, once both sides have said yes, who the other side is. Before
   that the node itself does not know the other side's name, so the page cannot show it. */
import {call, failureNode, Failure, showFailure} from './api.js';
import {add, facts, h, heading, hidden, labelled, replace, said} from './dom.js';
import {number, word} from './format.js';
import {serves} from './node.js';
import {t} from './texts.js';

const MATCHING = 'lyceum.investment.v1.Matching/';
const STATES = ['', 'open', 'waiting for the other side', 'introduced', 'refused', 'expired'];
/* An answer of the other side travels as a record: the list is looked at again while the page is open. */
const LOOK_AGAIN_MS = 3000;

export function proposalsView(room) {
	const state = h('select', {onchange: () => list()}, STATES.map(value => h('option', {value}, value ? word('proposal', value) : t('proposals.all'))));
	const count = h('p', {class: 'count', role: 'status'});
	const items = h('ul', {class: 'parties one'});
	const trouble = h('div');
	let drawn = '';

	async function list() {
		let reply;
		try {
			reply = (await call(MATCHING + 'ListProposals', {state: state.value})).reply;
		} catch (error) {
			return showFailure(trouble, error);
		}
		replace(trouble);
		const now = JSON.stringify(reply);
		if (now === drawn || !room.isConnected)
			return;
		drawn = now;
		count.textContent = (reply.proposal || []).length > 0 ? t('proposals.count', {n: reply.total || 0}) : t('proposals.none');
		drawItems(items, reply.proposal || []);
	}

	/* Only what has changed is drawn anew, so that nothing moves under somebody's hands. */
	function drawItems(box, rows) {
		const old = new Map([...box.children].map(item => [item.dataset.row, item]));
		replace(box, rows.map(row => old.get(JSON.stringify(row)) || item(row, list)));
	}

	add(room, heading(t('proposals.title')), h('p', {class: 'lead'}, t('proposals.lead')),
		h('div', {class: 'row bottom'}, labelled(t('proposals.state'), state)), count, trouble, h('h2', {class: 'hidden'}, t('find.results')), items,
		serves('lyceum.investment.v1.Matching', 'Propose') && batchForm(list), serves('lyceum.investment.v1.Matching', 'Verify') && checks());
	list();
	const timer = setInterval(() => document.hidden || list(), LOOK_AGAIN_MS);
	return () => clearInterval(timer);
}

function item(row, whenAnswered) {
	const outcome = h('div', {'aria-live': 'polite'}), more = h('div');
	const state = String(row.state || '');
	const box = h('details', {ontoggle: () => box.open && !more.firstChild && showReasons(more, row.id)},
		h('summary', null, t('proposal.why'), hidden(' ' + row.id)), more);
	const sides = (row.side || []).filter(side => side !== 'SIDE_UNSPECIFIED');

	async function answer(method, side) {
		try {
			const {reply} = await call(MATCHING + method, {proposal: row.id, side: sides.length > 1 ? side : undefined});
			replace(outcome, h('p', {class: 'ok', tabindex: '-1'}, word('proposal', reply.proposal.state)));
			outcome.firstChild.focus();
			setTimeout(whenAnswered, 600);
		} catch (error) {
			if (!(error instanceof Failure))
				throw error;
			replace(outcome, failureNode(error));
		}
	}
	const buttons = (may, method, text, kind) => may && (sides.length > 1 ? sides : [undefined]).map(side => h('button', {type: 'button', class: kind,
		onclick: () => answer(method, side)}, side ? t(text + 'For', {side: word('side', side)}) : t(text), hidden(' ' + row.id)));

	const result = h('li', {class: 'party proposal', 'data-state': state},
		h('h3', null, row.ours || row.id, ' ', h('span', {class: 'arrow', 'aria-hidden': 'true'}, '↔'), hidden(t('proposal.with')), ' ', row.other || '', ' ',
			h('span', {class: 'chip' + (state === 'introduced' ? ' good' : '')}, word('proposal', state))),
		h('p', {class: 'line'}, t('proposal.line', {id: row.id, score: number(row.score), expires: row.expires || '–'})),
		h('div', {class: 'row'}, buttons(row.mayOptIn, 'OptIn', 'proposal.yes', 'primary'), buttons(row.mayOptOut, 'OptOut', state.startsWith('waiting') ? 'proposal.back' : 'proposal.no', 'quiet')),
		outcome, state === 'introduced' && introduced(row.id), box);
	result.dataset.row = JSON.stringify(row);
	return result;
}

/* Who the other side is, once both have said yes. */
function introduced(id) {
	const room = h('div');
	call(MATCHING + 'ShowProposal', {proposal: id}).then(({reply}) => replace(room, (reply.identity || []).map(one => h('div', {class: 'identity'},
		facts([[t('identity.name'), one.name], [t('identity.contact'), one.contact], [t('identity.company'), one.companyNumber], [t('identity.summary'), one.summary]])))),
	error => showFailure(room, error));
	return room;
}

/* The parts of both sides' scores, which sum to their totals, and the nodes that are credited. */
async function showReasons(room, proposal) {
	try {
		const {reply} = await call(MATCHING + 'ShowProposal', {proposal});
		replace(room, ['VENTURE', 'INVESTOR'].map(side => {
			const parts = (reply.part || []).filter(part => part.side === side);
			return parts.length > 0 && h('table', {class: 'points'}, h('caption', null, t('proposal.parts' + side)),
				h('thead', null, h('tr', null, h('th', {scope: 'col'}, t('hit.reason')), h('th', {scope: 'col', class: 'number'}, t('hit.points')))),
				h('tbody', null, parts.map(part => h('tr', null, h('td', {lang: 'en'}, h('strong', null, part.name), part.text && [': ', part.text]),
					h('td', {class: 'number'}, number(part.points), part.most ? ' / ' + number(part.most) : '')))),
				h('tfoot', null, h('tr', null, h('th', {scope: 'row'}, t('hit.sum')),
					h('td', {class: 'number'}, number(parts.reduce((sum, part) => sum + Number(part.points || 0), 0))))));
		}), (reply.credit || []).length > 0 && h('p', {class: 'small'}, t('proposal.credit'), ' ',
			reply.credit.map(one => one.node + ' ' + (one.shareMillionths || 0) / 10000 + ' %').join(', ')));
	} catch (error) {
		showFailure(room, error);
	}
}

/* Computes a batch: first as a trial, then for good. */
function batchForm(whenMade) {
	const days = h('input', {type: 'number', min: 1, max: 366, value: 14});
	const outcome = h('div', {'aria-live': 'polite'});
	async function propose(dryRun) {
		try {
			const {reply} = await call(MATCHING + 'Propose', {days: Number(days.value || 14), dryRun});
			replace(outcome, h('p', {class: dryRun ? 'count' : 'ok'}, t(dryRun ? 'batch.would' : 'batch.did', {ventures: reply.ventures || 0, investors: reply.investors || 0,
				pairs: reply.pairs || 0, refused: reply.refused || 0, proposals: reply.proposals || 0})),
			(reply.note || []).map(note => h('p', {class: 'small'}, said(note))));
			if (!dryRun)
				whenMade();
		} catch (error) {
			if (!(error instanceof Failure))
				throw error;
			replace(outcome, failureNode(error));
		}
	}
	return h('details', {class: 'panel'}, h('summary', null, t('batch.title')), h('p', null, t('batch.lead')),
		h('form', {class: 'row bottom', onsubmit: event => { event.preventDefault(); propose(false); }}, labelled(t('batch.days'), days),
			h('button', {type: 'button', onclick: () => propose(true)}, t('batch.try')), h('button', {type: 'submit', class: 'primary'}, t('batch.make'))), outcome);
}

/* Works the batches that this node holds out again, and says whether each is what it says it is. */
function checks() {
	const list = h('ul', {class: 'plain links'});
	const box = h('details', {class: 'panel', ontoggle: () => box.open && show()}, h('summary', null, t('verify.title')), h('p', null, t('verify.lead')), list);
	async function show() {
		try {
			const {reply} = await call(MATCHING + 'ListBatches', {});
			replace(list, (reply.batch || []).length === 0 && h('li', null, t('verify.none')), (reply.batch || []).map(batch => {
				const outcome = h('div', {'aria-live': 'polite'});
				return h('li', null, h('code', null, batch.id), ' · ', batch.home, ' · ', batch.made, ' · ', t('verify.proposed', {n: batch.proposals || 0}), ' ',
					h('button', {type: 'button', onclick: () => verify(outcome, batch.id)}, t('verify.check'), hidden(' ' + batch.id)), outcome);
			}));
		} catch (error) {
			showFailure(list, error);
		}
	}
	return box;
}

async function verify(room, batch) {
	try {
		const {reply} = await call(MATCHING + 'Verify', {batch}, {timeoutMs: 20000});
		replace(room, h('p', {class: reply.isSound ? 'ok' : 'refused'}, said(reply.answer)),
			h('ul', {class: 'plain small', lang: 'en'}, (reply.check || []).map(check => h('li', null, check.name, ': ', check.outcome, check.text && ' – ' + check.text))));
	} catch (error) {
		showFailure(room, error);
	}
}
