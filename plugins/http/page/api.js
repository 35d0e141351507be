/* Asks the node that served this page: POST /v1/package.Service/Method with JSON, as its gateway offers every method. What goes wrong becomes a
   Failure with the node's own sentence; what the person can do next is said by showFailure. */
import {h, replace, said} from './dom.js';
import {t} from './texts.js';

/* A call that did not succeed: the status by name, the node's sentence, the field at fault, the HTTP status. */
export class Failure extends Error {
	constructor(status, text, field, http) {
		super(text);
		this.status = status;
		this.field = field || '';
		this.http = http || 0;
	}
}

let whenNotEntered = () => {};
let heard = () => {};

/* What to do when the session has ended, and who wants to know how old each answer is. */
export function onAnswers({notEntered, asOf}) {
	whenNotEntered = notEntered;
	heard = asOf;
}

async function ask(path, options) {
	let answer;
	try {
		answer = await fetch(path, {credentials: 'same-origin', ...options});
	} catch (error) {
		if (error.name === 'AbortError')
			throw error;
		throw new Failure('NO_ANSWER', t('fail.noAnswer'));
	}
	const text = await answer.text();
	let reply = {};
	try {
		reply = text ? JSON.parse(text) : {};
	} catch {
		throw new Failure('INTERNAL', t('fail.notJson'), '', answer.status);
	}
	if (!answer.ok) {
		const failure = new Failure(reply.status || 'UNKNOWN', reply.text || answer.statusText, reply.field, answer.status);
		if (answer.status === 401)
			whenNotEntered();
		throw failure;
	}
	return {reply, asOf: ages(answer.headers.get('Lyceum-As-Of'))};
}

/* The header as a list of {origin, ageMs}. */
function ages(header) {
	if (!header)
		return [];
	try {
		const value = JSON.parse(header);
		const list = Array.isArray(value) ? value : value.asOf || value.as_of || [];
		return list.map(one => ({origin: one.origin, ageMs: Number(one.ageMs || 0)}));
	} catch {
		return [];
	}
}

/*
 * Calls one method. Options: at (the node that should run it), timeoutMs, signal (an AbortSignal).
 * Gives {reply, asOf, ms}: the reply, how old each origin's records are in it, how long it took.
 */
export async function call(method, request, {at, timeoutMs, signal} = {}) {
	const headers = {'Content-Type': 'application/json', 'Lyceum-Request': '1'};
	if (at)
		headers['Lyceum-At'] = at;
	if (timeoutMs)
		headers['Lyceum-Timeout-Ms'] = String(timeoutMs);
	const before = performance.now();
	const answer = await ask('/v1/' + method, {method: 'POST', headers, body: JSON.stringify(request || {}), signal});
	if (!at)
		heard(answer.asOf);
	return {...answer, ms: Math.round(performance.now() - before)};
}

/* Who has entered: {principal, node, language}. */
export async function whoAmI() {
	return (await ask('/me', {})).reply;
}

/* Ends the session. */
export async function leave() {
	await ask('/leave', {method: 'POST', headers: {'Lyceum-Request': '1'}});
}

/* The sentence of a failure with the next step, as an alert. */
export function failureNode(failure) {
	if (failure.name === 'AbortError')
		return null;
	const known = ['NO_ANSWER', 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND', 'INVALID_ARGUMENT',
		'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ALREADY_EXISTS', 'ABORTED', 'UNIMPLEMENTED'];
	const status = failure.status || 'UNKNOWN';
	const sentence = status === 'NO_ANSWER' ? failure.message : said((failure.field ? failure.field + ': ' : '') + failure.message);
	return h('p', {class: 'failure', role: 'alert'}, h('strong', null, sentence), ' ', t('next.' + (known.includes(status) ? status : 'OTHER')));
}

/* Shows a failure in the place of what an element holds. */
export function showFailure(element, failure) {
	if (!(failure instanceof Failure) && failure.name !== 'AbortError')
		throw failure;
	if (failure.name !== 'AbortError')
		replace(element, failureNode(failure));
}
