/* The agenda: the meetings that one may know of, in the order of time, and a form that makes an event of this node. */
import {call, failureNode, Failure, showFailure} from './api.js';
import {add, h, heading, hidden, labelled, replace} from './dom.js';
import {day, word} from './format.js';
import {whose} from './hits.js';
import {me} from './node.js';
import {t} from './texts.js';

export function agendaView(room) {
	const box = h('input', {type: 'search', autocomplete: 'off', maxlength: 500});
	const count = h('p', {class: 'count', role: 'status'});
	const days = h('div', {class: 'agenda'});
	const feed = h('div', {'aria-live': 'polite'});
	let timer = 0, asking = null;

	async function list() {
		if (asking)
			asking.abort();
		const mine = asking = new AbortController();
		try {
			const {reply} = await call('lyceum.convening.v1.Events/List', {text: box.value.trim(), withCancelled: true}, {signal: mine.signal});
			count.textContent = (reply.meeting || []).length > 0 ? t('agenda.count', {n: reply.total || 0}) : t('agenda.none');
			replace(days, byDay(reply.meeting || []));
		} catch (error) {
			showFailure(days, error);
		}
	}
	box.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(list, 150); });

	add(room, heading(t('agenda.title')),
		h('form', {role: 'search', class: 'search', onsubmit: event => { event.preventDefault(); list(); }}, labelled(t('agenda.find'), box)),
		count, days, newEvent(list),
		h('details', {class: 'panel'}, h('summary', null, t('feed.title')), h('p', null, t('feed.lead')),
			h('button', {type: 'button', onclick: () => subscribe(feed)}, t('feed.get')), feed));
	list();
	return () => { clearTimeout(timer); asking.abort(); };
}

function byDay(meetings) {
	const days = new Map();
	for (const meeting of meetings) {
		const date = meeting.start.slice(0, 10);
		days.set(date, [...(days.get(date) || []), meeting]);
	}
	return [...days].map(([date, list]) => h('section', {class: 'day'}, h('h2', null, h('time', {datetime: date}, day(date))),
		h('ul', {class: 'plain'}, list.map(meetingItem))));
}

function meetingItem(meeting) {
	const isOff = meeting.status === 'CANCELLED';
	return h('li', {class: 'meeting' + (isOff ? ' off' : '')},
		h('p', {class: 'clock'}, meeting.start.slice(11, 16), meeting.end && '–' + meeting.end.slice(11, 16), h('span', {class: 'small'}, ' ', meeting.zone)),
		h('div', null,
			h('h3', null, h('a', {href: eventAddress(meeting)}, meeting.title), isOff && [' ', h('span', {class: 'chip bad'}, word('status', 'CANCELLED'))],
				meeting.isSeries && [' ', h('span', {class: 'chip'}, t('agenda.series'))]),
			h('p', {class: 'line'}, meeting.place || meeting.url || t('agenda.noPlace')),
			whose(meeting.home, meeting.label)));
}

/* The address of an event's page. */
export function eventAddress({home, id}) {
	return '#/event/' + encodeURIComponent(home) + '/' + encodeURIComponent(id);
}

function newEvent(whenMade) {
	const title = h('input', {required: true, maxlength: 200});
	const start = h('input', {type: 'datetime-local', required: true});
	const minutes = h('input', {type: 'number', min: 5, max: 10080, value: 60});
	const place = h('input', {maxlength: 300});
	const cap = h('input', {type: 'number', min: 0, max: 1000000, value: 0});
	const about = h('textarea', {rows: 3, maxlength: 20000});
	const topics = h('input', {maxlength: 500});
	const invited = h('input', {type: 'checkbox'}), chatham = h('input', {type: 'checkbox'});
	const outcome = h('div', {'aria-live': 'polite'});
	async function make(event) {
		event.preventDefault();
		try {
			const {reply} = await call('lyceum.convening.v1.Events/Create', {title: title.value.trim(), start: start.value, minutes: Number(minutes.value || 60),
				place: place.value.trim(), cap: Number(cap.value || 0), description: about.value.trim(), invitedOnly: invited.checked, chatham: chatham.checked,
				topic: topics.value.split(',').map(one => one.trim()).filter(Boolean), remind: [1440]});
			replace(outcome, h('p', {class: 'ok'}, t('new.made'), ' ', h('a', {href: eventAddress(reply.event)}, reply.event.title)));
			event.target.reset();
			whenMade();
		} catch (error) {
			if (!(error instanceof Failure))
				throw error;
			replace(outcome, failureNode(error));
		}
	}
	return h('details', {class: 'panel'}, h('summary', null, t('new.title', {node: me.node})),
		h('form', {onsubmit: make}, labelled(t('new.name'), title),
			h('div', {class: 'pair'}, labelled(t('new.start'), start), labelled(t('new.minutes'), minutes)),
			h('div', {class: 'pair'}, labelled(t('new.place'), place), labelled(t('new.cap'), cap, t('new.capHint'))),
			labelled(t('new.about'), about), labelled(t('new.topics'), topics, t('new.topicsHint')),
			h('label', {class: 'check'}, invited, h('span', null, t('new.invitedOnly'))),
			h('label', {class: 'check'}, chatham, h('span', null, t('new.chatham'))),
			h('button', {type: 'submit', class: 'primary'}, t('new.make'))), outcome);
}

async function subscribe(room) {
	try {
		const {reply} = await call('lyceum.convening.v1.Calendar/Subscribe', {});
		const box = h('input', {readonly: true, value: reply.url, onfocus: () => box.select()});
		replace(room, labelled(t('feed.address'), box, t('feed.hint')));
		box.focus();
	} catch (error) {
		showFailure(room, error);
	}
}
