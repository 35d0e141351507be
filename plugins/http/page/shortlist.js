/* The short list: experts that somebody has set aside. It is kept in this browser only, for each person who enters, until it is emptied; the node
   learns of it when the people on it are invited. */
import {add, h, hidden, heading, replace} from './dom.js';
import {region, word} from './format.js';
import {inviteForm} from './invite.js';
import {me, serves} from './node.js';
import {t} from './texts.js';

const listeners = new Set();
const key = () => 'lyceum.list.' + me.principal;

function held() {
	try {
		const list = JSON.parse(localStorage.getItem(key()) || '[]');
		return Array.isArray(list) ? list.filter(one => one && one.home && one.id) : [];
	} catch {
		return [];
	}
}

function keep(list) {
	try {
		localStorage.setItem(key(), JSON.stringify(list));
	} catch {
		/* A browser that keeps nothing: the list lives no longer than the buttons show it. */
	}
	for (const listener of listeners)
		listener();
}

/* The address of an expert's card. */
export function cardOf(expert) {
	return '#/expert/' + encodeURIComponent(expert.home) + '/' + encodeURIComponent(expert.id);
}

const isSame = (a, b) => a.home === b.home && a.id === b.id;

export function count() {
	return held().length;
}

/* Calls `listener` whenever the list changes. */
export function onList(listener) {
	listeners.add(listener);
}

/* A button that puts an expert on the list and takes her off again. */
export function listButton(expert) {
	const one = {home: expert.home, id: expert.id, name: expert.name, kind: expert.kind, organisation: expert.organisation, region: expert.region};
	const button = h('button', {type: 'button', class: 'toggle', onclick: () => {
		const list = held();
		keep(list.some(other => isSame(one, other)) ? list.filter(other => !isSame(one, other)) : [...list, one]);
		draw();
	}});
	const draw = () => {
		const isOn = held().some(other => isSame(one, other));
		button.setAttribute('aria-pressed', String(isOn));
		replace(button, t(isOn ? 'list.isOn' : 'list.add'), hidden(' ' + (one.name || one.id)));
	};
	draw();
	return button;
}

export function listView(room) {
	const people = h('ul', {class: 'people'});
	const invite = h('section', {class: 'panel'});
	add(room, heading(t('list.title')), h('p', {class: 'lead'}, t('list.lead')), people, invite);

	function draw() {
		const list = held();
		replace(people, list.map(one => h('li', null,
			h('div', null, h('a', {href: cardOf(one)}, one.name || one.id),
				h('p', {class: 'small'}, [word('kind', one.kind), one.organisation, region(one.region), t('whose.kept', {home: one.home})].filter(Boolean).join(' · '))),
			h('button', {type: 'button', class: 'quiet', onclick: () => {
				const at = held().findIndex(other => isSame(one, other));
				keep(held().filter(other => !isSame(one, other)));
				draw();
				const next = people.querySelectorAll('button')[Math.max(0, at - 1)] || room.querySelector('h1');
				next.focus();
			}}, t('list.remove'), hidden(' ' + one.name)))));
		if (list.length === 0)
			replace(invite, h('p', null, t('list.empty'), ' ', h('a', {href: '#/experts'}, t('list.goFind'))));
		else if (serves('lyceum.convening.v1.Invitations'))
			inviteForm(invite, list);
		else
			replace(invite, h('p', null, t('list.noEvents')));
	}
	draw();
}
