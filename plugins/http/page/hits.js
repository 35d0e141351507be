/* Shows experts that were found, each with the reasons and whose record it is. Used by the search, the brief and the front door. */
import {add, h, hidden, marked, said} from './dom.js';
import {number, region, word} from './format.js';
import {ageOf, me} from './node.js';
import {cardOf, listButton} from './shortlist.js';
import {language, t} from './texts.js';

/* "kept by wales, copy 3 s old": whose a record is, as every record on the page says it. */
export function whose(home, label) {
	const visibility = label && label.visibility;
	return h('p', {class: 'whose'},
		home === me.node ? t('whose.ours') : [t('whose.kept', {home}), ' · ', t('whose.copy'), ' ', ageOf(home)],
		visibility && [' · ', seenBy(label)]);
}

/* Who sees a record, in words. */
export function seenBy(label) {
	const audience = (label.audience || []).join(', ');
	return label.visibility === 'AUDIENCE' ? t('seen.AUDIENCE', {audience}) : word('seen', label.visibility || 'PRIVATE');
}

/* One reason. The node writes it in English; in Welsh the page makes a line of its own from the same parts. */
function reason(part) {
	if (language() === 'cy')
		return [h('span', null, word('reason', part.field)), part.evidenceTitle && [': ', h('cite', {lang: 'en'}, marked(part.evidenceTitle, part.word))],
			!part.evidenceTitle && [': ', h('span', {lang: 'en'}, (part.word || []).join(', '))]];
	const cut = (part.text || '').lastIndexOf(' matches ');
	if (cut < 0)
		return said(part.text || '');
	return [marked(part.text.slice(0, cut), part.word), part.text.slice(cut)];
}

/* The reasons with their points, which sum to the total; the page adds them up itself and says so. */
function reasons(hit) {
	const parts = hit.parts || [];
	const sum = parts.reduce((total, part) => total + Number(part.points || 0), 0);
	const isWhole = sum === Number(hit.total || 0);
	return h('details', {class: 'reasons'},
		h('summary', null, t('hit.allReasons', {n: parts.length}), hidden(' ' + hit.expert.name)),
		h('table', null,
			h('caption', {class: 'hidden'}, t('hit.reasonsOf', {name: hit.expert.name})),
			h('thead', null, h('tr', null, h('th', {scope: 'col'}, t('hit.reason')), h('th', {scope: 'col', class: 'number'}, t('hit.points')))),
			h('tbody', null, parts.map(part => h('tr', null, h('td', null, reason(part)), h('td', {class: 'number'}, number(part.points))))),
			h('tfoot', null, h('tr', null, h('th', {scope: 'row'}, t(isWhole ? 'hit.sum' : 'hit.sumDiffers')), h('td', {class: 'number'}, number(hit.total))))));
}

/* One found expert as an item of a list; `note` is a word beside the name ("new from wales"). */
export function hitItem(hit, note) {
	const expert = hit.expert;
	const parts = hit.parts || [];
	const item = h('li', {class: 'hit'});
	return add(item,
		h('div', {class: 'hit-head'},
			h('h3', null, h('a', {href: cardOf(expert)}, expert.name || expert.id)),
			note && h('span', {class: 'chip new'}, note),
			listButton({...expert, why: parts.length > 0 ? parts[0].text : ''})),
		h('p', {class: 'line'}, h('span', {class: 'chip'}, word('kind', expert.kind)), ' ', place(expert)),
		parts.length > 0 && h('ul', {class: 'why', 'aria-label': t('hit.why')}, parts.slice(0, 2).map(part => h('li', null, reason(part)))),
		h('div', {class: 'hit-foot'}, parts.length > 0 && reasons(hit), whose(expert.home, expert.label)));
}

/* Organisation, department and region in one line. */
export function place(expert) {
	return [[expert.organisation, expert.department].filter(Boolean).join(', '), region(expert.region)].filter(Boolean).join(' · ');
}
