/* Makes elements. Text always becomes a text node, so nothing that a record says can become markup. */

/*
 * One element: h('a', {href: '#/', class: 'quiet', onclick: f}, 'text', [more, nodes]).
 * An attribute that is null, undefined or false is left out; true gives an attribute without a value. Children that are null or false are left out.
 */
export function h(name, attributes, ...children) {
	return fill(document.createElement(name), attributes, children);
}

/* The same for a drawing. */
export function svg(name, attributes, ...children) {
	return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

function fill(element, attributes, children) {
	for (const [key, value] of Object.entries(attributes || {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (key.startsWith('on'))
			element.addEventListener(key.slice(2), value);
		else if (key === 'value')
			element.value = value;
		else
			element.setAttribute(key, value === true ? '' : String(value));
	}
	add(element, children);
	return element;
}

/* Appends children, lists of children and texts. */
export function add(element, ...children) {
	for (const child of children.flat(Infinity))
		if (child !== null && child !== undefined && child !== false)
			element.append(child);
	return element;
}

/* Puts these children in the place of all that an element holds. */
export function replace(element, ...children) {
	element.replaceChildren();
	return add(element, ...children);
}

/* A text that only a screen reader says. */
export function hidden(text) {
	return h('span', {class: 'hidden'}, text);
}

/* A sentence that a node wrote, which is English in either language of the page. */
export function said(text) {
	return h('span', {lang: 'en'}, text);
}

/* A text with some of its words marked. */
export function marked(text, words) {
	const wanted = (words || []).filter(Boolean).map(word => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
	if (wanted.length === 0)
		return [text];
	const pattern = new RegExp('(?<![\\p{L}\\p{N}])(' + wanted.join('|') + ')(?![\\p{L}\\p{N}])', 'giu');
	return text.split(pattern).map((piece, i) => i % 2 ? h('mark', null, piece) : piece);
}

/* The column of labels and values that a card is made of; rows without a value are left out. */
export function facts(rows) {
	return h('dl', {class: 'facts'}, rows
		.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0))
		.map(([label, value]) => [h('dt', null, label), h('dd', null, value)]));
}

let names = 0;

/* A label with its field below it, tied together; `hint` is a line that helps. */
export function labelled(label, field, hint) {
	const id = 'f' + ++names;
	field.id = id;
	if (hint)
		field.setAttribute('aria-describedby', id + 'h');
	return h('div', {class: 'field'}, h('label', {for: id}, label), field, hint && h('p', {class: 'hint', id: id + 'h'}, hint));
}

/* The heading of a view; the router puts the focus there. */
export function heading(text, ...more) {
	return h('div', {class: 'heading'}, h('h1', {tabindex: '-1'}, text), more);
}
