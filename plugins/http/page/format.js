/* Numbers, ages, times, money and names of kinds, in the page's language. */
import {has, t} from './texts.js';

export function number(value) {
	return Number(value || 0).toLocaleString('en-GB');
}

/* A length of time in its largest unit: "3 min". */
export function span(ms) {
	const seconds = Math.floor(Number(ms || 0) / 1000);
	for (const [name, length] of [['days', 86400], ['hours', 3600], ['minutes', 60], ['seconds', 1]]) {
		const n = Math.floor(seconds / length);
		if (n >= 1 || length === 1)
			return t(has('span.' + name + n) ? 'span.' + name + n : 'span.' + name, {n});
	}
	return '';
}

/* How long ago, in words: null is "not known". */
export function age(ms) {
	if (ms === null || ms === undefined)
		return t('age.unknown');
	return ms < 2000 ? t('age.now') : t('age.ago', {span: span(ms)});
}

/* Bytes as people read them. */
export function bytes(value) {
	const units = ['B', 'KB', 'MB', 'GB', 'TB'];
	let amount = Number(value || 0), unit = 0;
	for (; amount >= 1024 && unit < units.length - 1; unit++)
		amount /= 1024;
	return (amount < 10 && unit > 0 ? amount.toFixed(1) : Math.round(amount)) + ' ' + units[unit];
}

/* Amounts as nodes write them, "GBP 250000.00 to 1000000.00", with their thousands apart. */
export function moneyText(text) {
	return String(text || '').replace(/(\d+)(\.\d\d)?/g, (whole, units, rest) => number(units) + (rest && rest !== '.00' ? rest : '')).replace(' to ', ' – ');
}

/* A local time as events carry it, "2026-12-03T10:00:00", as day and clock time: "Thu 3 December 2026, 10:00". The zone is named where it is not ours. */
export function localTime(local, zone) {
	const [date, clock] = String(local || '').split(/[T ]/);
	if (!clock)
		return date || '';
	const ours = Intl.DateTimeFormat().resolvedOptions().timeZone;
	return day(date) + ', ' + clock.slice(0, 5) + (zone && zone !== ours ? ' (' + zone.replace(/_/g, ' ') + ')' : '');
}

/* From when to when: "Thursday 3 December 2026, 10:00–11:30 (Asia/Tokyo)". */
export function period(start, end, zone) {
	const text = localTime(start, zone);
	if (!end)
		return text;
	return end.slice(0, 10) === start.slice(0, 10) ? text.replace(start.slice(11, 16), '$&–' + end.slice(11, 16)) : text + ' – ' + localTime(end, zone);
}

/* A day, "2026-12-03", in words. The names are our own: browsers know English, few know Welsh. */
export function day(date) {
	const [year, month, dayOfMonth] = date.split('-').map(Number);
	const weekday = new Date(Date.UTC(year, month - 1, dayOfMonth)).getUTCDay();
	return t('weekday.' + weekday) + ' ' + dayOfMonth + ' ' + t('month.' + month) + ' ' + year;
}

/* UTC milliseconds as a day. */
export function dayOf(ms) {
	return day(new Date(Number(ms)).toISOString().slice(0, 10));
}

/* The text of a value of an enum or a fixed list: word('kind', 'IP_LAWYER'). A value without a text is shown as it is, in small letters. */
export function word(group, value) {
	const key = group + '.' + String(value || '').toUpperCase().replace(/[- ]/g, '_');
	return has(key) ? t(key) : String(value || '').toLowerCase().replace(/_/g, ' ');
}

/* The codes that ventures and investors carry instead of names. */
const codes = {WLS: 'Wales', SCT: 'Scotland', NIR: 'Northern Ireland', ENG: 'England', NE: 'North East', NW: 'North West', YH: 'Yorkshire and the Humber',
	MID: 'Midlands', 'MID-E': 'East Midlands', 'MID-W': 'West Midlands', EE: 'East of England', LON: 'London', SE: 'South East', SW: 'South West'};

/* A region's name; one that is not in the table stays as it is. */
export function region(nameOrCode) {
	const name = codes[String(nameOrCode || '').replace(/^GB-(ENG-)?/, '')] || nameOrCode;
	const key = 'region.' + String(name || '').toUpperCase().replace(/[^A-Z]+/g, '_');
	return has(key) ? t(key) : name || '';
}

/* The name of a language tag. */
export function tongue(tag) {
	const key = 'tongue.' + String(tag).toLowerCase().split('-')[0];
	return has(key) ? t(key) : tag;
}
