/* One event: when and where, one's own answer, and for the people of its home who was invited and who answered. A seat is given by the event's home
   alone; until it has decided, the page says so and looks again. */
import {call, failureNode, Failure, showFailure} from './api.js';
import {add, facts, h, heading, replace, said} from './dom.js';
import {localTime, period, word} from './format.js';
import {whose} from './hits.js';
import {showMails} from './mails.js';
import {me, othersWith, serves} from './node.js';
import {cardOf} from './shortlist.js';
import {t} from './texts.js';

const DIRECTORY = 'lyceum.experts.v1.ExpertDirectory';
const LOOK_AGAIN_MS = 1500, LOOKS = 8, LOOK_AT_ANSWERS_MS = 6000;

export function eventView(room, [home, id]) {
	const name = id + '@' + home;
	const card = h('article', {class: 'card'}, h('p', {role: 'status'}, t('event.loading')));
	const answers = h('section'), mails = h('section');
	let timer = 0, looks = 0, drawn = '';
	add(room, heading(t('event.title')), card, answers, mails);

	async function show() {
		let reply;
		try {
			reply = (await call('lyceum.convening.v1.Events/Show', {event: name})).reply;
		} catch (error) {
			return showFailure(card, error);
		}
		if (!room.isConnected)
			return;
		const title = room.querySelector('h1');
		title.textContent = reply.event.title;
		document.title = reply.event.title + ' · Lyceum';
		draw(card, reply, answer);
		if (home === me.node)
			list();
		if (reply.own && !['SEATED', 'WAITING', 'NOT_COMING', 'REFUSED'].includes(reply.own.state) && looks++ < LOOKS)
			timer = setTimeout(show, LOOK_AGAIN_MS);
	}

	async function answer(choice, outcome) {
		try {
			await call('lyceum.convening.v1.Invitations/Rsvp', {event: name, choice});
			looks = 0;
			clearTimeout(timer);
			await show();
			const chosen = card.querySelector('[aria-pressed="true"]');
			if (chosen)
				chosen.focus();
		} catch (error) {
			if (!(error instanceof Failure))
				throw error;
			replace(outcome, failureNode(error));
		}
	}

	/* Answers come while one looks; what is the same stays as it is drawn. */
	async function list() {
		try {
			const {reply} = await call('lyceum.convening.v1.Invitations/ListAnswers', {event: name});
			const now = JSON.stringify(reply), isNew = now !== drawn && room.isConnected, isFirst = drawn === '';
			drawn = now;
			if (!isNew)
				return;
			drawAnswers(answers, reply);
			if (serves('lyceum.convening.v1.Mails'))
				showMails(mails, name);
			/* The card counts seats; it waits while somebody is about to answer on it. */
			if (!isFirst && !card.contains(document.activeElement))
				show();
		} catch (error) {
			drawn = '';
			if (error.status !== 'PERMISSION_DENIED')
				showFailure(answers, error);
		}
	}

	show();
	const watching = home === me.node && setInterval(() => document.hidden || list(), LOOK_AT_ANSWERS_MS);
	return () => {
		clearTimeout(timer);
		clearInterval(watching);
	};
}

function draw(card, {event, next, attendance, own}, answer) {
	const outcome = h('div', {'aria-live': 'polite'}, own && standing(own));
	const isOff = event.status === 'CANCELLED';
	replace(card,
		isOff && h('p', {class: 'notice'}, t('event.cancelled'), event.cancelReason && [' ', event.cancelReason]),
		facts([
			[t('event.when'), period(event.start, event.end, event.zone)],
			[t('event.next'), (next || []).length > 1 && h('ul', {class: 'plain'}, next.slice(0, 5).map(one => h('li', null, localTime(one, event.zone))))],
			[t('event.place'), event.place],
			[t('event.join'), event.url && (/^https?:\/\//.test(event.url) ? h('a', {href: event.url, rel: 'noreferrer external'}, event.url) : event.url)],
			[t('event.seats'), event.cap ? t(attendance ? 'event.seatsTaken' : 'event.seatsOf', {cap: event.cap, taken: attendance?.taken || 0}) : t('event.noCap')],
			[t('event.waiting'), attendance?.waiting || ''],
			[t('event.invited'), attendance?.invited || ''],
			[t('event.rule'), event.chatham && t('event.chatham')],
			[t('event.topics'), (event.topic || []).length > 0 && h('ul', {class: 'topics'}, event.topic.map(topic => h('li', null, topic)))],
		]),
		event.description && h('p', {class: 'prose'}, event.description),
		!isOff && h('fieldset', {class: 'rsvp'}, h('legend', null, t('event.yourAnswer')),
			h('div', {class: 'row'}, ['YES', 'MAYBE', 'NO'].map(choice => h('button', {type: 'button', class: 'toggle',
				'aria-pressed': String(Boolean(own) && own.choice === choice), onclick: () => answer(choice, outcome)}, word('choice', choice)))),
			outcome),
		whose(event.home, event.label));
}

function standing(own) {
	const state = own.state && own.state !== 'STATE_UNSPECIFIED' ? own.state : 'UNDECIDED';
	return h('p', {class: state === 'SEATED' ? 'ok' : 'count'}, word('place', state), own.because && [': ', said(own.because)]);
}

/* Who somebody is: an invited expert by name, with the card; everybody else as the node says it. */
function who({who: text, isInvited}) {
	const [, id, home] = /^(\S+)@([^@\s]+)$/.exec(text) || [];
	const span = h('span', null, text);
	if (isInvited && serves(DIRECTORY) && (home === me.node || othersWith(DIRECTORY).includes(home)))
		call(DIRECTORY + '/Get', {home, id}).then(({reply}) => replace(span, h('a', {href: cardOf({home, id})}, reply.expert.name.display)), () => {});
	return span;
}

function drawAnswers(room, reply) {
	const list = reply.answer || [];
	replace(room, h('h2', null, t('answers.title')),
		h('p', {class: 'count', role: 'status'}, t('answers.count', {invited: reply.invited || 0, yes: reply.yes || 0, no: reply.no || 0, maybe: reply.maybe || 0})),
		list.length === 0 ? h('p', null, t('answers.none'), ' ', h('a', {href: '#/list'}, t('answers.invite'))) :
			h('div', {class: 'scroll', tabindex: '0', role: 'group', 'aria-label': t('answers.title')}, h('table', {class: 'stack'},
				h('thead', null, h('tr', null, ['who', 'node', 'answer', 'seat', 'mail'].map(column => h('th', {scope: 'col'}, t('answers.' + column))))),
				h('tbody', null, list.map(one => h('tr', null,
					h('th', {scope: 'row', 'data-label': t('answers.who')}, who(one)),
					h('td', {'data-label': t('answers.node')}, one.node || ''),
					h('td', {'data-label': t('answers.answer')}, one.choice && one.choice !== 'CHOICE_UNSPECIFIED' ? word('choice', one.choice) : t('answers.notYet')),
					h('td', {'data-label': t('answers.seat')}, one.state && one.state !== 'STATE_UNSPECIFIED' ? word('place', one.state) : '–',
						['WAITING', 'REFUSED'].includes(one.state) && one.because && h('p', {class: 'small'}, said(one.because))),
					h('td', {'data-label': t('answers.mail')}, one.mail ? word('mail', one.mail) : one.node && one.node !== me.node ? t('answers.sentBy', {node: one.node}) : '–')))))));
}
