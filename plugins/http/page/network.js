/* The network as this node sees it: its link to the hub, how old its copy of each other node's records is, what waits to travel, its plugins. Looked at
   again every few seconds, with the status that the whole page uses. */
import {add, facts, h, heading, replace, said, svg} from './dom.js';
import {age, bytes, number, span, word} from './format.js';
import {ageMs, ageOf, askStatus, lastStatus, me, onStatus} from './node.js';
import {t} from './texts.js';

/* A copy that nobody confirmed for so long is shown as old. */
const OLD_MS = 30000;

export function networkView(room) {
	const body = h('div');
	add(room, heading(t('network.title')), body);
	const draw = status => { if (status) replace(body, picture(status, body.clientWidth), links(status), origins(status), plugins(status), store(status)); };
	draw(lastStatus());
	const end = onStatus(draw);
	askStatus();
	return end;
}

function others(status) {
	return (status.origin || []).map(one => one.origin).filter(name => name !== me.node);
}

/* This node, its hub, and the others around it. What the picture says stands in the tables below it, too. */
function picture(status, room) {
	const hub = status.uplink ? status.uplink.peer : me.node;
	const names = others(status).filter(name => name !== hub);
	const width = Math.max(250, Math.min(640, room - 24)), centre = {x: width / 2, y: 130};
	const at = (i, n) => { const angle = Math.PI * (1 + 2 * i / n); return {x: centre.x + (width / 2 - 55) * Math.cos(angle), y: centre.y + 95 * Math.sin(angle)}; };
	const around = (hub === me.node ? names : [me.node, ...names]).map((name, i, all) => ({name, ...at(i, all.length)}));
	/* Of the others' links this node knows only what came through its own. */
	const isLinked = !status.uplink || status.uplink.isUp;
	const line = name => name === me.node ? (isLinked ? 'up' : 'down') : !isLinked || ageMs(name) === null ? 'unknown' : ageMs(name) < OLD_MS ? 'up' : 'down';
	return h('div', {class: 'picture', 'aria-hidden': 'true'}, svg('svg', {viewBox: '0 0 ' + width + ' 275', role: 'presentation', focusable: 'false'},
		around.map(node => svg('line', {x1: centre.x, y1: centre.y, x2: node.x, y2: node.y, class: line(node.name)})),
		knot(hub, centre, hub === me.node ? 'me' : 'hub'),
		around.map(node => knot(node.name, node, node.name === me.node ? 'me' : ''))));
}

function knot(name, {x, y}, kind) {
	const width = Math.max(70, name.length * 9.5 + 28);
	return svg('g', {class: 'knot ' + kind}, svg('rect', {x: x - width / 2, y: y - 19, width, height: 38, rx: 19}),
		svg('text', {x, y: y + 5, 'text-anchor': 'middle'}, name),
		kind === '' && svg('text', {x, y: y + 35, 'text-anchor': 'middle', class: 'small'}, age(ageMs(name))));
}

function links(status) {
	const list = [...(status.uplink ? [status.uplink] : []), ...(status.node || [])];
	return h('section', null, h('h2', null, t('network.links')), list.length === 0 ? h('p', null, t('network.noLinks')) :
		h('ul', {class: 'plain links'}, list.map(link => h('li', null,
			h('span', {class: 'chip ' + (link.isUp ? 'good' : 'bad')}, t(link.isUp ? 'network.up' : 'network.down')), ' ', h('strong', null, link.peer), ' ',
			t('network.since', {since: span(link.sinceMs)}), ' · ',
			Number(link.outbox || 0) > 0 ? t('network.outbox', {n: number(link.outbox)}) : t('network.nothingWaits'),
			!link.isUp && link.text && h('p', {class: 'small'}, said(link.text))))));
}

function origins(status) {
	return h('section', null, h('h2', null, t('network.origins')), h('p', {class: 'small'}, t('network.originsLead')),
		h('table', {class: 'stack'}, h('thead', null, h('tr', null, ['node', 'age', 'records'].map(column => h('th', {scope: 'col'}, t('network.' + column))))),
			h('tbody', null, (status.origin || []).map(one => h('tr', null,
				h('th', {scope: 'row', 'data-label': t('network.node')}, one.origin),
				h('td', {'data-label': t('network.age')}, one.origin === me.node ? t('network.here') : ageOf(one.origin)),
				h('td', {'data-label': t('network.records')}, number(one.seq)))))));
}

function plugins(status) {
	return (status.plugin || []).length > 0 && h('section', null, h('h2', null, t('network.plugins')),
		h('ul', {class: 'plain links'}, status.plugin.map(one => h('li', null,
			h('span', {class: 'chip ' + (one.state === 'RUNNING' ? 'good' : 'bad')}, word('plugin', one.state)), ' ', h('strong', null, one.name),
			Number(one.behind || 0) > 0 && ' · ' + t('network.behind', {n: number(one.behind)}),
			one.text && h('p', {class: 'small'}, said(one.text))))));
}

function store(status) {
	const storage = status.storage || {};
	return h('section', null, h('h2', null, t('network.node')), facts([
		[t('network.name'), status.name],
		[t('network.software'), status.software],
		[t('network.uptime'), t('network.since', {since: span(status.uptimeMs)})],
		[t('network.log'), storage.lastSeq && t('network.logHolds', {n: number(storage.lastSeq), size: bytes(storage.bytes)})],
		[t('network.free'), storage.freeBytes && bytes(storage.freeBytes)],
		[t('network.held'), (status.held || []).map(one => one.type + ' (' + number(one.count) + ')').join(', ')],
	]));
}
