/* What became of the mails of one event that this node sends: how many wait, which have failed and why, and a button that tries those again. Mails to
   experts of other nodes are sent, and shown, there. */
import {call, failureNode, Failure} from './api.js';
import {h, replace, said} from './dom.js';
import {number, word} from './format.js';
import {t} from './texts.js';

const MAILS = 'lyceum.convening.v1.Mails';

/* Fills `room`; leaves it empty where there is nothing to say. */
export async function showMails(room, event) {
	try {
		const {reply} = await call(MAILS + '/ListMails', {event, limit: 100});
		draw(room, event, reply);
	} catch (error) {
		if (!(error instanceof Failure))
			throw error;
		replace(room, error.status === 'PERMISSION_DENIED' ? null : failureNode(error));
	}
}

function draw(room, event, reply) {
	const counts = ['waiting', 'sent', 'failed', 'dropped'].map(one => Number(reply[one] || 0));
	if (counts.every(count => count === 0))
		return replace(room);
	const [waiting, sent, failed] = counts;
	replace(room, h('h2', null, t('mails.title')),
		h('p', {class: 'count'}, t('mails.count', {waiting: number(waiting), sent: number(sent), failed: number(failed)})),
		reply.remark && h('p', {class: 'notice'}, said(reply.remark)),
		h('ul', {class: 'plain links'}, (reply.mail || []).map(mail => h('li', null,
			h('span', {class: 'chip' + (mail.step === 'FAILED' ? ' bad' : '')}, word('step', mail.step)), ' ', h('strong', null, mail.who), ' · ', said(mail.kind),
			Date.parse(mail.next) > Date.now() && ' · ' + t('mails.next', {time: mail.next.replace('T', ' ').slice(0, 16) + ' UTC'}),
			mail.said && h('p', {class: 'small'}, said(mail.said))))),
		failed > 0 && h('button', {type: 'button', onclick: () => sendAgain(room, event)}, t('mails.again', {n: number(failed)})));
}

async function sendAgain(room, event) {
	try {
		await call(MAILS + '/SendAgain', {event});
		await showMails(room, event);
	} catch (error) {
		if (!(error instanceof Failure))
			throw error;
		room.append(failureNode(error));
	}
}
