/* What the page knows of the node that served it: who has entered, which services can be called, how old the copies of the other nodes' records are,
   whether the link to the hub is up. Asks Node/Status now and then; the spans made by ageOf keep themselves right. */
import {call, whoAmI} from './api.js';
import {h} from './dom.js';
import {age} from './format.js';

export const me = {principal: '', node: '', language: ''};

let services = new Map();
let status = null;
const ages = new Map();
const listeners = new Set();

/* Loads what the page needs before it can show anything. Throws a Failure when nobody has entered. */
export async function load() {
	const [who, {reply}] = await Promise.all([whoAmI(), call('lyceum.v1.Node/Services', {})]);
	Object.assign(me, who);
	services = new Map((reply.service || []).map(service => [service.name, service]));
}

/* Can this service be called from here? With a method: does it have that one? */
export function serves(service, method) {
	const found = services.get(service);
	return Boolean(found) && (!method || (found.method || []).includes(method));
}

/* The other daemons that run a service, as far as this node knows. */
export function othersWith(service) {
	return ((services.get(service) || {}).at || []).filter(name => name !== me.node);
}

/* The last answer of Node/Status, or null. */
export function lastStatus() {
	return status;
}

/* Calls `listener` whenever the status was asked; gives the function that ends it. */
export function onStatus(listener) {
	listeners.add(listener);
	return () => listeners.delete(listener);
}

/* Remembers how old each origin's records were just now. */
export function noteAges(asOf) {
	for (const {origin, ageMs} of asOf)
		ages.set(origin, performance.now() - ageMs);
	freshen();
}

/* Milliseconds since an origin last confirmed that there is nothing newer; null when it is not known. */
export function ageMs(origin) {
	if (origin === me.node)
		return 0;
	return ages.has(origin) ? Math.max(0, performance.now() - ages.get(origin)) : null;
}

/* A span that says how old this node's copy of an origin's records is, and stays right. */
export function ageOf(origin) {
	return h('span', {class: 'age', 'data-origin': origin}, age(ageMs(origin)));
}

function freshen() {
	for (const span of document.querySelectorAll('[data-origin]')) {
		const text = age(ageMs(span.dataset.origin));
		if (span.textContent !== text)
			span.textContent = text;
	}
}

/* Asks the status once. */
export async function askStatus() {
	let failure = null;
	try {
		const {reply} = await call('lyceum.v1.Node/Status', {}, {timeoutMs: 4000});
		status = reply;
		noteAges((reply.origin || []).map(one => ({origin: one.origin, ageMs: Number(one.ageMs || 0)})));
	} catch (error) {
		failure = error;
	}
	for (const listener of listeners)
		listener(status, failure);
}

/* Asks the status every few seconds while the page is looked at. */
export function watch() {
	askStatus();
	setInterval(() => {
		if (!document.hidden && me.principal)
			askStatus();
		freshen();
	}, 4000);
}
