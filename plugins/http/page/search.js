/* The search: as one types, this node answers from its own copy; then every other node is asked for its own people, and what is new is put in as it
   arrives. The question and the filters stand in the address, so that a link or the back button brings them again. */
import {call, failureNode, Failure, showFailure} from './api.js';
import {add, h, heading, hidden, replace, said} from './dom.js';
import {number, region, word} from './format.js';
import {hitItem} from './hits.js';
import {ageOf, me, othersWith} from './node.js';
import {t} from './texts.js';

const FIND = 'lyceum.experts.v1.ExpertSearch/Find';
const PAGE = 10, LAST = 300;
const TYPING_MS = 90, ASK_OTHERS_MS = 350;
const FACETS = ['region', 'kind', 'organisation'];

/* The question as the method takes it: kinds are the names of an enum there. */
function request(state) {
	return {text: state.text, unfinished: state.isTyping, region: state.region, kind: state.kind.map(kind => kind.toUpperCase().replace(/-/g, '_')), organisation: state.organisation,
		answersWithinDays: state.within || undefined, limit: PAGE};
}

export function searchView(room, words, params) {
	const state = {text: params.get('q') || '', within: Number(params.get('within') || 0), isTyping: false};
	for (const field of FACETS)
		state[field] = params.getAll(field);

	const box = h('input', {type: 'search', value: state.text, autocomplete: 'off', spellcheck: 'false', id: 'q', maxlength: 2000,
		'aria-describedby': 'q-count'});
	const within = h('select', {id: 'within', onchange: () => { state.within = Number(within.value); search(); }},
		[0, 2, 5, 10, 20].map(days => h('option', {value: days, selected: days === state.within}, days ? t('find.withinDays', {n: days}) : t('find.anyTime'))));
	const filters = h('div', {class: 'filters'});
	const count = h('p', {class: 'count', id: 'q-count', role: 'status'});
	const nodes = h('ul', {class: 'nodes', 'aria-label': t('find.whoAnswered')});
	const notes = h('div');
	const list = h('ol', {class: 'hits'});
	const more = h('div', {class: 'more'});
	/* Beside the results where there is room, else folded above them. */
	const wide = matchMedia('(min-width: 52rem)');
	const unfold = () => { side.open = wide.matches; };
	let side;
	wide.addEventListener('change', unfold);

	add(room, heading(t('find.title')),
		h('form', {class: 'search', role: 'search', onsubmit: event => { event.preventDefault(); search(); }},
			h('label', {for: 'q'}, t('find.label')),
			h('div', {class: 'row'}, box, h('a', {class: 'button quiet', href: '#/brief'}, t('find.brief')))),
		h('div', {class: 'columns'},
			side = h('details', {class: 'side', open: wide.matches},
				h('summary', null, t('find.filters')),
				h('div', {class: 'field'}, h('label', {for: 'within'}, t('find.within')), within),
				filters),
			h('section', {'aria-label': t('find.results')}, h('h2', {class: 'hidden'}, t('find.results')), count, nodes, notes, list, more)));

	let timer = 0, asking = null, turnNow = 0, hits = [];

	function remember() {
		const query = new URLSearchParams();
		if (state.text)
			query.set('q', state.text);
		if (state.within)
			query.set('within', state.within);
		for (const field of FACETS)
			for (const value of state[field])
				query.append(field, value);
		history.replaceState(null, '', '#/experts' + (query.size ? '?' + query : ''));
	}

	/* Asks this node; then, when nobody types on, the others. */
	async function search() {
		clearTimeout(timer);
		if (asking)
			asking.abort();
		const mine = asking = new AbortController(), turn = ++turnNow;
		remember();
		let answer;
		try {
			answer = await call(FIND, request(state), {signal: mine.signal});
		} catch (error) {
			if (turn === turnNow)
				showFailure(notes, error);
			return;
		}
		if (turn !== turnNow)
			return;
		hits = (answer.reply.hits || []).map(hit => ({hit, note: ''}));
		drawHits(answer.reply);
		drawFacets(answer.reply);
		replace(nodes, nodeItem(me.node, t('find.here', {ms: answer.ms})));
		for (const other of others())
			add(nodes, nodeItem(other, t('find.copy')));
		timer = setTimeout(() => { drawNotes(answer.reply); askOthers(mine.signal, turn); }, ASK_OTHERS_MS);
	}

	/* The nodes worth asking: all that have the service, the hub apart, which is home to nobody. */
	const others = () => othersWith('lyceum.experts.v1.ExpertSearch');

	function nodeItem(name, text) {
		return h('li', {'data-node': name}, h('strong', null, name), ' ', h('span', null, text), ' ', name === me.node ? null : ageOf(name));
	}

	async function askOthers(signal, turn) {
		await Promise.all(others().map(async name => {
			const item = nodes.querySelector('[data-node="' + CSS.escape(name) + '"]');
			replace(item, h('strong', null, name), ' ', t('find.asking'));
			try {
				const answer = await call(FIND, {...request(state), home: [name], withoutFacets: true}, {at: name, timeoutMs: 3000, signal});
				if (turn !== turnNow)
					return;
				replace(item, h('strong', null, name), ' ', t('find.answered', {n: number(answer.reply.total), ms: answer.ms}));
				item.classList.add('fresh');
				mergeHits(name, answer.reply.hits || []);
			} catch (error) {
				if (!(error instanceof Failure) || turn !== turnNow)
					return;
				replace(item, h('strong', null, name), ' ', t('find.silent'), ' ', ageOf(name), hidden(' ' + error.message));
				item.classList.add('silent');
				item.title = error.message;
			}
		}));
	}

	/* What a home says of its own people counts; people whom the copy here does not hold yet are put where their score belongs. */
	function mergeHits(name, fresh) {
		const held = new Set(hits.map(({hit}) => hit.expert.home + ' ' + hit.expert.id));
		const lowest = hits.length >= PAGE ? Number(hits[hits.length - 1].hit.total || 0) : -Infinity;
		const added = fresh.filter(hit => !held.has(hit.expert.home + ' ' + hit.expert.id) && Number(hit.total || 0) > lowest);
		if (added.length === 0)
			return;
		hits.push(...added.map(hit => ({hit, note: t('hit.newFrom', {node: name})})));
		hits.sort((a, b) => Number(b.hit.total || 0) - Number(a.hit.total || 0));
		replace(list, hits.map(({hit, note}) => hitItem(hit, note)));
	}

	function drawHits(reply) {
		count.textContent = Number(reply.total || 0) > 0 ? t('find.count', {n: number(reply.total)}) : t('find.none');
		replace(list, hits.map(({hit, note}) => hitItem(hit, note)));
		replace(notes);
		drawMore(Number(reply.total || 0), PAGE);
	}

	function drawMore(total, shown) {
		replace(more, total > shown && shown + PAGE <= LAST && h('button', {type: 'button', onclick: async () => {
			try {
				const {reply} = await call(FIND, {...request(state), offset: shown, withoutFacets: true}, {signal: asking.signal});
				const next = (reply.hits || []).map(hit => hitItem(hit));
				hits.push(...(reply.hits || []).map(hit => ({hit, note: ''})));
				add(list, next);
				drawMore(total, shown + PAGE);
				if (next.length > 0)
					next[0].querySelector('a').focus();
			} catch (error) {
				showFailure(more, error);
			}
		}}, t('find.more')));
	}

	function drawNotes(reply) {
		const repairs = (reply.unmatched || []).filter(one => one.nearest).map(one => h('button', {type: 'button', class: 'quiet', onclick: () => {
			box.value = state.text = state.text.replace(one.word, one.nearest);
			box.focus();
			search();
		}}, t('find.didYouMean', {word: one.nearest})));
		replace(notes, (reply.note || []).length > 0 && h('div', {class: 'notice'}, h('ul', null, reply.note.map(note => h('li', null, said(note)))), repairs));
	}

	/* The values that the reply counts, and the chosen ones although nobody has them. */
	function drawFacets(reply) {
		const focused = document.activeElement && document.activeElement.dataset.facet;
		replace(filters, FACETS.map(field => {
			const found = (reply.facets || []).find(facet => facet.field === field);
			const values = (found ? found.value || [] : []).map(one => [one.value, one.count || 0]);
			for (const chosen of state[field])
				if (!values.some(([value]) => value.toLowerCase() === chosen.toLowerCase()))
					values.push([chosen, 0]);
			return values.length > 0 && h('fieldset', null, h('legend', null, t('facet.' + field)), values.map(([value, count]) => h('label', {class: 'check'},
				h('input', {type: 'checkbox', checked: state[field].includes(value), 'data-facet': field + ' ' + value, onchange: event => {
					state[field] = event.target.checked ? [...state[field], value] : state[field].filter(one => one !== value);
					search();
				}}),
				h('span', null, field === 'region' ? region(value) : field === 'kind' ? word('kind', value) : value), h('span', {class: 'tally'}, number(count)))));
		}));
		if (focused) {
			const again = filters.querySelector('[data-facet="' + CSS.escape(focused) + '"]');
			if (again)
				again.focus();
		}
	}

	box.addEventListener('input', () => {
		state.text = box.value.trim();
		state.isTyping = !/\s$/.test(box.value);
		clearTimeout(timer);
		timer = setTimeout(search, TYPING_MS);
	});
	search();
	if (!state.text)
		queueMicrotask(() => box.focus());
	return () => {
		wide.removeEventListener('change', unfold);
		clearTimeout(timer);
		turnNow++;
		if (asking)
			asking.abort();
	};
}
