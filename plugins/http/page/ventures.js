/* Ventures and investors: those of this node by name, for its own people, and the market, where all nodes' ventures and investors stand blind, as tokens
   with coarse words. Also: why a venture was, or was not, proposed to an investor. */
import {call, failureNode, Failure, showFailure} from './api.js';
import {add, facts, h, heading, labelled, replace, said} from './dom.js';
import {moneyText, number, region, word} from './format.js';
import {ageOf, me, serves} from './node.js';
import {t} from './texts.js';

export function venturesView(room) {
	const ours = h('section'), market = h('section');
	const side = h('select', {onchange: () => showMarket()}, ['', 'VENTURE', 'INVESTOR'].map(value => h('option', {value}, value ? word('side', value) : t('market.any'))));
	const sector = h('input', {maxlength: 60}), where = h('input', {maxlength: 60});
	const profiles = h('div');

	async function showOurs() {
		try {
			const {reply} = await call('lyceum.investment.v1.Registry/ListParties', {limit: 500});
			const parties = reply.party || [];
			replace(ours, h('h2', null, t('ours.title', {node: me.node})),
				h('p', {class: 'count'}, t('ours.count', {ventures: reply.ventures || 0, investors: reply.investors || 0})),
				parties.length === 0 ? h('p', null, t('ours.none')) : h('ul', {class: 'parties'}, parties.map(partyItem)));
		} catch (error) {
			showFailure(ours, error);
		}
	}

	async function showMarket() {
		try {
			const {reply} = await call('lyceum.investment.v1.Market/ListProfiles', {side: side.value || undefined, sector: sector.value.trim(),
				region: where.value.trim(), limit: 300});
			replace(profiles, h('p', {class: 'count', role: 'status'}, t('market.count', {ventures: reply.ventures || 0, investors: reply.investors || 0, nodes: reply.nodes || 0})),
				h('ul', {class: 'parties'}, (reply.profile || []).map(profileItem)));
		} catch (error) {
			showFailure(profiles, error);
		}
	}

	add(room, heading(t('ventures.title')), h('p', {class: 'lead'}, t('ventures.lead')),
		serves('lyceum.investment.v1.Registry') && ours,
		serves('lyceum.investment.v1.Market') && add(market, h('h2', null, t('market.title')), h('p', null, t('market.lead')),
			h('form', {class: 'row bottom', onsubmit: event => { event.preventDefault(); showMarket(); }}, labelled(t('market.side'), side),
				labelled(t('market.sector'), sector), labelled(t('market.region'), where), h('button', {type: 'submit'}, t('market.show'))),
			profiles),
		serves('lyceum.investment.v1.Matching', 'Why') && whyForm());
	showOurs();
	showMarket();
}

const lines = list => (list || []).join(', ');

/* The words of a profile: stages, sectors, regions, money. */
function line(party) {
	return [lines((party.stage || []).map(stage => word('stage', stage))), h('span', {lang: 'en'}, lines(party.sector)), lines((party.region || []).map(region)),
		moneyText(party.money)].filter(part => part && (part.nodeType ? part.textContent : part)).flatMap((part, i) => i ? [' · ', part] : [part]);
}

function partyItem(party) {
	const more = h('div');
	const box = h('details', {ontoggle: () => box.open && !more.firstChild && showParty(more, party.token || party.id)},
		h('summary', null, t('party.more'), h('span', {class: 'hidden'}, ' ' + party.name)), more);
	return h('li', {class: 'party'},
		h('h3', null, party.name || party.id, ' ', h('span', {class: 'chip'}, word('side', party.side)), ' ', party.state && h('span', {class: 'chip'}, stateText(party.state))),
		h('p', {class: 'line'}, line(party)), box);
}

/* "ends 2027-03-31" or one of a few words. */
export function stateText(state) {
	const ends = /^ends (.*)$/.exec(state);
	return ends ? t('party.ends', {day: ends[1]}) : word('state', state);
}

async function showParty(room, id) {
	try {
		const {reply} = await call('lyceum.investment.v1.Registry/ShowParty', {id});
		replace(room, facts([
			[t('party.token'), reply.token], [t('party.contact'), reply.contact], [t('party.capacity'), reply.capacity],
			[t('party.certification'), reply.certification && said(reply.certification)], [t('party.summary'), reply.summary],
			[t('party.othersSee'), reply.othersSee && said(reply.othersSee)],
			[t('party.lookAlike'), reply.lookAlike ? number(reply.lookAlike) : t('party.alone')],
		]), h('p', {class: 'whose'}, t('whose.ours'), ' · ', word('seen', 'PRIVATE')));
	} catch (error) {
		showFailure(room, error);
	}
}

function profileItem(profile) {
	return h('li', {class: 'party'},
		h('h3', null, h('code', null, profile.token), ' ', h('span', {class: 'chip'}, word('side', profile.side)), ' ',
			profile.state && profile.state !== 'open' && h('span', {class: 'chip'}, stateText(profile.state))),
		h('p', {class: 'line'}, line(profile)),
		h('p', {class: 'whose'}, profile.home === me.node ? t('whose.ours') : [t('whose.kept', {home: profile.home}), ' · ', t('whose.copy'), ' ', ageOf(profile.home)]));
}

function whyForm() {
	const venture = h('input', {required: true, maxlength: 120}), investor = h('input', {required: true, maxlength: 120});
	const answer = h('div', {'aria-live': 'polite'});
	async function ask(event) {
		event.preventDefault();
		try {
			const {reply} = await call('lyceum.investment.v1.Matching/Why', {venture: venture.value.trim(), investor: investor.value.trim()});
			replace(answer, h('p', {class: 'count'}, said(reply.answer)), h('ul', {class: 'plain'}, (reply.reason || []).map(reason =>
				h('li', {class: reason.outcome === 'refused' ? 'refused' : '', lang: 'en'}, h('strong', null, reason.rule), ' · ', reason.outcome, ' · ', reason.text))));
		} catch (error) {
			if (!(error instanceof Failure))
				throw error;
			replace(answer, failureNode(error));
		}
	}
	return h('details', {class: 'panel'}, h('summary', null, t('why.title')), h('p', null, t('why.lead')),
		h('form', {class: 'row bottom', onsubmit: ask}, labelled(t('why.venture'), venture), labelled(t('why.investor'), investor),
			h('button', {type: 'submit'}, t('why.ask'))), answer);
}
