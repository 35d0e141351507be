/* A brief: a long text is pasted, and the directory is ranked against all of it. The text goes to this node's search only. */
import {call, showFailure} from './api.js';
import {add, h, heading, labelled, replace, said} from './dom.js';
import {number} from './format.js';
import {hitItem} from './hits.js';
import {t} from './texts.js';

const LONGEST = 20000;

/* Kept while the page is open, so that a look at a card does not lose it. */
let last = '';

export function briefView(room) {
	const box = h('textarea', {rows: 10, maxlength: LONGEST, value: last, required: true});
	const kinds = h('input', {type: 'checkbox', checked: true});
	const count = h('p', {class: 'count', role: 'status'});
	const notes = h('div');
	const list = h('ol', {class: 'hits ranked'});
	let turn = 0;

	async function rank() {
		last = box.value.trim();
		if (!last)
			return box.focus();
		const mine = ++turn;
		count.textContent = t('brief.working');
		try {
			const {reply, ms} = await call('lyceum.experts.v1.ExpertSearch/Find', {text: last, limit: kinds.checked ? 60 : 20, withoutFacets: true});
			if (mine !== turn)
				return;
			const hits = kinds.checked ? spread(reply.hits || []) : reply.hits || [];
			count.textContent = hits.length > 0 ? t('brief.count', {n: number(hits.length), total: number(reply.total), ms}) : t('find.none');
			/* A brief always has words that nobody's record has; they are worth a look, not a warning. */
			replace(notes, (reply.unmatched || []).length > 0 && h('details', null, h('summary', null, t('brief.unmatched', {n: reply.unmatched.length})),
				h('p', null, said(reply.unmatched.map(one => one.word).join(', ')))));
			replace(list, hits.map(hit => hitItem(hit)));
		} catch (error) {
			count.textContent = '';
			showFailure(notes, error);
		}
	}

	add(room, heading(t('brief.title')), h('p', {class: 'lead'}, t('brief.lead')),
		h('form', {onsubmit: event => { event.preventDefault(); rank(); }}, labelled(t('brief.label'), box, t('brief.hint')),
			h('label', {class: 'check'}, kinds, h('span', null, t('brief.spread'))),
			h('div', {class: 'row'}, h('button', {type: 'submit', class: 'primary'}, t('brief.rank')), h('a', {class: 'button quiet', href: '#/experts'}, t('brief.back')))),
		count, notes, h('h2', {class: 'hidden'}, t('find.results')), list);
	if (last)
		rank();
}

/* At most twenty, at most six of a kind: the best of several kinds instead of twenty of one. Their order stays that of the points. */
function spread(hits) {
	const seen = new Map();
	return hits.filter(hit => {
		const kind = hit.expert.kind || '';
		seen.set(kind, (seen.get(kind) || 0) + 1);
		return seen.get(kind) <= 6;
	}).slice(0, 20);
}
