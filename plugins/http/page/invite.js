/* Invites the people of a short list to an event of this node: first a look at the mail as it would go out, then the invitations. The mail leaves from
   the node that knows each person's address; nobody here learns it. */
import {call, failureNode, Failure} from './api.js';
import {h, labelled, replace, said} from './dom.js';
import {localTime, word} from './format.js';
import {me} from './node.js';
import {t} from './texts.js';

/* `people` are {id, home, name}. */
export async function inviteForm(room, people) {
	const experts = people.map(one => one.id + '@' + one.home);
	replace(room, h('h2', null, t('invite.title')), h('p', {role: 'status'}, t('invite.loading')));
	let meetings;
	try {
		meetings = (await call('lyceum.convening.v1.Events/List', {ofHome: me.node})).reply.meeting || [];
	} catch (error) {
		if (!(error instanceof Failure))
			throw error;
		return replace(room, h('h2', null, t('invite.title')), failureNode(error));
	}
	/* A series is invited to once. */
	const events = [...new Map(meetings.filter(one => one.status !== 'CANCELLED').reverse().map(one => [one.id, one])).values()].reverse();
	if (events.length === 0)
		return replace(room, h('h2', null, t('invite.title')), h('p', null, t('invite.noEvent'), ' ', h('a', {href: '#/agenda'}, t('invite.makeEvent'))));

	const event = h('select', null, events.map(one => h('option', {value: one.id}, one.title + ' – ' + localTime(one.start, one.zone))));
	const others = h('input', {autocomplete: 'off'});
	const message = h('textarea', {rows: 3, maxlength: 2000});
	const outcome = h('div', {'aria-live': 'polite'});
	const send = h('button', {type: 'submit', class: 'primary'}, t('invite.send'));
	const look = h('button', {type: 'button', onclick: () => run(true)}, t('invite.look'));

	async function run(isDry) {
		send.disabled = look.disabled = true;
		replace(outcome, h('p', null, t('invite.working')));
		try {
			const emails = others.value.split(',').map(one => one.trim()).filter(Boolean);
			const {reply} = await call('lyceum.convening.v1.Invitations/Invite', {event: event.value, expert: experts, email: emails,
				message: message.value.trim(), dryRun: isDry});
			replace(outcome, results(reply, isDry, event.value, people));
		} catch (error) {
			if (!(error instanceof Failure))
				throw error;
			replace(outcome, failureNode(error));
		}
		send.disabled = look.disabled = false;
		(isDry ? look : send).focus();
	}

	replace(room, h('h2', null, t('invite.title')),
		h('form', {onsubmit: submitted => { submitted.preventDefault(); run(false); }},
			labelled(t('invite.event'), event), labelled(t('invite.others'), others, t('invite.othersHint')),
			labelled(t('invite.message'), message, t('invite.hint')),
			h('div', {class: 'row'}, send, look)),
		outcome);
}

function results(reply, isDry, event, people) {
	const names = new Map(people.map(one => [one.id + '@' + one.home, one.name]));
	return [
		h('p', {class: 'count'}, t(isDry ? 'invite.wouldBe' : 'invite.done')),
		h('ul', {class: 'plain'}, (reply.result || []).map(one => h('li', {class: one.text ? 'refused' : 'ok'}, h('strong', null, names.get(one.who) || one.who), ' · ',
			one.text ? said(one.text) : [word('invited', one.change || 'UNCHANGED'), one.sentBy && ' · ' + t('invite.sentBy', {node: one.sentBy})]))),
		reply.preview && h('details', {open: true}, h('summary', null, t('invite.mail')), h('pre', {class: 'mail', tabindex: '0', lang: 'en'}, reply.preview)),
		!isDry && h('p', null, h('a', {class: 'button', href: '#/event/' + encodeURIComponent(me.node) + '/' + encodeURIComponent(event)}, t('invite.whoAnswered'))),
	];
}
