/* Starts the page: asks who has entered, draws the frame around the views (navigation, language, banner), and shows the view that the address after
   the # names. Each view is a module with one function: it gets the element to fill and the address's words and parameters, and may return
   a function that is called when the view is left. */
import {Failure, leave, onAnswers, showFailure} from './api.js';
import {h, heading, replace} from './dom.js';
import {span} from './format.js';
import {load, lastStatus, me, noteAges, onStatus, serves, watch} from './node.js';
import {language, setLanguage, t} from './texts.js';
import {askView} from './ask.js';
import {searchView} from './search.js';
import {briefView} from './brief.js';
import {personView} from './person.js';
import {count, listView, onList} from './shortlist.js';
import {venturesView} from './ventures.js';
import {proposalsView} from './proposals.js';
import {agendaView} from './agenda.js';
import {eventView} from './event.js';
import {networkView} from './network.js';


/* Where the navigation leads, and which service must be there for it. */
const places = [
	{path: '', text: 'nav.ask', is: () => true},
	{path: 'experts', text: 'nav.experts', is: () => serves('lyceum.experts.v1.ExpertSearch'), also: ['expert', 'brief']},
	{path: 'list', text: 'nav.list', is: () => serves('lyceum.experts.v1.ExpertSearch'), badge: count},
	{path: 'ventures', text: 'nav.ventures', is: () => serves('lyceum.investment.v1.Market'), also: ['venture']},
	{path: 'proposals', text: 'nav.proposals', is: () => serves('lyceum.investment.v1.Matching')},
	{path: 'agenda', text: 'nav.agenda', is: () => serves('lyceum.convening.v1.Events'), also: ['event']},
	{path: 'network', text: 'nav.network', is: () => true},
];

const views = {'': askView, experts: searchView, brief: briefView, expert: personView, list: listView, ventures: venturesView, proposals: proposalsView,
	agenda: agendaView, event: eventView, network: networkView};

const main = document.getElementById('main');
let whenLeft = null, isFirst = true;

/* "#/expert/wales/w-051?q=x" as {words: ['expert', 'wales', 'w-051'], params}. */
function address() {
	const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
	return {words: path.split('/').map(decodeURIComponent), params: new URLSearchParams(query || '')};
}

function show() {
	if (!me.principal)
		return;
	const {words, params} = address();
	const view = views[words[0]] || askView;
	if (whenLeft)
		whenLeft();
	whenLeft = null;
	drawNavigation(words[0]);
	const room = h('div', {class: 'view'});
	replace(main, room);
	try {
		whenLeft = view(room, words.slice(1), params) || null;
	} catch (error) {
		showFailure(room, error);
	}
	const title = room.querySelector('h1');
	document.title = (title ? title.textContent + ' · ' : '') + 'Lyceum';
	if (!isFirst && title && !room.contains(document.activeElement)) {
		title.focus({preventScroll: true});
		scrollTo(0, 0);
	}
	isFirst = false;
}

function drawNavigation(current) {
	replace(document.getElementById('nav'), h('ul', null, places.filter(place => place.is()).map(place => {
		const isHere = place.path === current || (place.also || []).includes(current);
		const badge = place.badge ? place.badge() : 0;
		return h('li', null, h('a', {href: '#/' + place.path, 'aria-current': isHere ? 'page' : null}, t(place.text),
			badge > 0 && h('span', {class: 'badge'}, ' ' + badge)));
	})));
}

function drawFrame() {
	document.documentElement.lang = language();
	document.getElementById('skip').textContent = t('nav.skip');
	document.getElementById('nav').setAttribute('aria-label', t('nav.name'));
	document.getElementById('where').textContent = me.node ? t('frame.node', {node: me.node}) : '';
	const other = language() === 'cy' ? 'en' : 'cy';
	replace(document.getElementById('who'),
		me.principal && h('span', {class: 'principal'}, me.principal),
		h('button', {type: 'button', class: 'quiet', lang: other, onclick: () => { setLanguage(other, true); drawFrame(); drawBanner(lastStatus()); show(); }},
			t('language.' + other)),
		me.principal && h('button', {type: 'button', class: 'quiet', onclick: goodbye}, t('frame.leave')));
}

/* Says when the node has no link, and what waits: nothing is asked of the person, who may go on working. */
function drawBanner(status, failure) {
	const link = status && status.uplink;
	let sentence = '';
	if (failure && failure.status === 'NO_ANSWER')
		sentence = t('banner.noNode');
	else if (link && !link.isUp)
		sentence = t('banner.noHub', {hub: link.peer || 'hub', since: span(link.sinceMs)}) + ' ' +
			(Number(link.outbox || 0) > 0 ? t('banner.waiting', {n: link.outbox}) : t('banner.nothingWaits'));
	const banner = document.getElementById('banner');
	if (banner.textContent !== sentence)
		replace(banner, sentence && h('p', {class: 'notice'}, sentence));
}

async function goodbye() {
	try {
		await leave();
	} catch (error) {
		if (!(error instanceof Failure))
			throw error;
	}
	outside();
}

/* Nobody has entered: say how one enters. */
function outside() {
	Object.assign(me, {principal: '', node: ''});
	if (whenLeft)
		whenLeft();
	whenLeft = null;
	drawFrame();
	replace(document.getElementById('nav'));
	replace(main, h('div', {class: 'view narrow'}, heading(t('outside.title')), h('p', null, t('outside.how')),
		h('p', null, t('outside.operator')), h('pre', {class: 'command', lang: 'en'}, 'lyceum user invite ' + t('outside.name'))));
	document.title = t('outside.title') + ' · Lyceum';
}

const RETRY_MS = 3000;

/* Until the node answers; nobody has to press anything. */
async function start() {
	try {
		await load();
	} catch (error) {
		if (error.http === 401)
			return;
		showFailure(main, error);
		setTimeout(start, RETRY_MS);
		return;
	}
	if (me.language)
		setLanguage(me.language);
	drawFrame();
	onStatus(drawBanner);
	onList(() => drawNavigation(address().words[0]));
	addEventListener('hashchange', show);
	show();
	watch();
}

setLanguage(navigator.languages.some(tag => /^cy/i.test(tag)) ? 'cy' : 'en');
drawFrame();
onAnswers({notEntered: outside, asOf: noteAges});
start();
