/* The card of one expert: who it is, what shows it, whose record it is and how old this node's copy is. */
import {call, showFailure} from './api.js';
import {add, facts, h, heading, replace} from './dom.js';
import {region, tongue, word} from './format.js';
import {whose} from './hits.js';
import {listButton} from './shortlist.js';
import {t} from './texts.js';

export function personView(room, [home, id]) {
	const card = h('article', {class: 'card'}, h('p', {role: 'status'}, t('person.loading')));
	add(room, heading(t('person.title')), card);
	call('lyceum.experts.v1.ExpertDirectory/Get', {home, id}).then(({reply}) => {
		if (!room.isConnected)
			return;
		const expert = reply.expert;
		const name = (expert.name && expert.name.display) || expert.id;
		const title = room.querySelector('h1');
		title.textContent = name;
		document.title = name + ' · Lyceum';
		draw(card, expert, name);
	}, error => showFailure(card, error));
}

function draw(card, expert, name) {
	const organisation = expert.organisation || {};
	replace(card,
		h('div', {class: 'card-head'},
			h('p', {class: 'line'}, h('span', {class: 'chip'}, word('kind', expert.kind)), ' ',
				[organisation.organisationName, organisation.department].filter(Boolean).join(', ')),
			listButton({home: expert.home, id: expert.id, name, kind: expert.kind, organisation: organisation.organisationName, region: expert.region})),
		facts([
			[t('person.region'), region(expert.region)],
			[t('person.roles'), roles(expert.role || [])],
			[t('person.topics'), (expert.topic || []).length > 0 && h('ul', {class: 'topics'}, expert.topic.map(topic => h('li', {lang: 'en'}, topic.topic)))],
			[t('person.languages'), (expert.language || []).map(tongue).join(', ')],
			[t('person.answers'), availability(expert.availability || {})],
			[t('person.orcid'), expert.orcid && h('a', {href: 'https://orcid.org/' + expert.orcid, rel: 'noreferrer external'}, expert.orcid)],
			[t('person.contact'), contact(expert.contact)],
		]),
		h('h2', null, t('person.evidence', {n: (expert.evidence || []).length})),
		(expert.evidence || []).length > 0 ? evidence(expert.evidence) : h('p', null, t('person.noEvidence')),
		whose(expert.home, expert.label || {}),
		h('p', {class: 'whose'}, t('person.wrong', {home: expert.home})));
}

function roles(list) {
	return list.length > 0 && h('ul', {class: 'plain'}, list.map(role => h('li', null, [role.post, role.at].filter(Boolean).join(', '),
		(role.fromYear || role.toYear) && ' (' + (role.fromYear || '…') + '–' + (role.toYear || t('person.today')) + ')')));
}

function availability({answersWithinDays, remark}) {
	return [answersWithinDays && t('person.withinDays', {n: answersWithinDays}), remark].filter(Boolean).join('. ');
}

function contact(held) {
	return held && h('ul', {class: 'plain'},
		held.email && h('li', null, h('a', {href: 'mailto:' + held.email}, held.email)),
		held.phone && h('li', null, held.phone),
		held.url && h('li', null, /^https?:\/\//.test(held.url) ? h('a', {href: held.url, rel: 'noreferrer external'}, held.url) : held.url));
}

/* Works, grants, cases and so on, the newest first. */
function evidence(list) {
	return h('ul', {class: 'evidence'}, [...list].sort((a, b) => (b.year || 0) - (a.year || 0)).map(one => h('li', null,
		h('span', {class: 'year'}, one.year || ''),
		h('div', null, h('cite', {lang: 'en'}, one.title || one.ref),
			h('p', {class: 'small'}, [word('evidence', one.kind), one.source, one.amount && (one.currency || 'GBP') + ' ' + one.amount, one.ref]
				.filter(Boolean).join(' · '))))));
}
