/* The table of texts without a browser: each row has both languages with the same {words}; each text that the page asks for is there, and none lies
   there unused; no file of the page builds markup from strings or names another origin. Argument: the source folder. */
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';

const folder = path.join(process.argv[2], 'plugins/http/page');
/* By its text: node 18 takes a .js file for CommonJS when no package.json says otherwise. */
const table = fs.readFileSync(path.join(folder, 'texts.js'), 'utf8');
const {texts} = await import('data:text/javascript,' + encodeURIComponent(table));
const files = fs.readdirSync(folder).filter(name => name.endsWith('.js') && name !== 'texts.js');
const source = files.map(name => fs.readFileSync(path.join(folder, name), 'utf8')).join('\n');
const keys = Object.keys(texts);
const wordsOf = text => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]).sort().join(' ');

for (const key of keys) {
	const [english, welsh] = texts[key];
	assert(texts[key].length === 2 && english && welsh, key + ' is not there in both languages');
	/* A fixed number may be written out: "2 days". */
	assert.equal(wordsOf(english), wordsOf(welsh), key + ': the two languages fill in different words');
	assert.equal(/[.…:?]$/.exec(english)?.[0], /[.…:?]$/.exec(welsh)?.[0], key + ': one of the two ends otherwise');
}

/* t('key') and word('group', ...) in the sources; t('prefix' + x) uses every key with that prefix. */
const whole = new Set([...source.matchAll(/\bt\('([\w.]+)'(?! \+)/g)].map(match => match[1]));
for (const [, first, second] of source.matchAll(/\? '([\w]+\.[\w.]+)' : '([\w]+\.[\w.]+)'/g))
	whole.add(first).add(second);
for (const [, key] of source.matchAll(/text: '(nav\.\w+)'/g))
	whole.add(key);
const prefixes = new Set([...source.matchAll(/\bt\('([\w.]+)' \+/g)].map(match => match[1]));
for (const [, group] of source.matchAll(/\bword\('(\w+)'/g))
	prefixes.add(group + '.');
for (const [, prefix] of source.matchAll(/= '(\w+\.)' \+/g))
	prefixes.add(prefix);
for (const [, prefix] of source.matchAll(/buttons\([^)]*'(\w+\.\w+)'/g))
	prefixes.add(prefix);
prefixes.add('span.');
for (const key of whole)
	assert(key in texts, 'the page asks for ' + key + ', which texts.js has not');
for (const prefix of prefixes)
	assert(keys.some(key => key.startsWith(prefix)), 'texts.js has nothing that begins with ' + prefix);
for (const key of keys)
	assert(whole.has(key) || [...prefixes].some(prefix => key.startsWith(prefix)), 'nothing uses ' + key);

for (const name of [...files, 'texts.js', 'index.html', 'page.css']) {
	const text = fs.readFileSync(path.join(folder, name), 'utf8');
	assert(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/.test(text), name + ' builds markup or code from strings');
	const foreign = [...text.matchAll(/https?:\/\/[\w.-]+/g)].map(match => match[0]).filter(url => url !== 'http://www.w3.org' && url !== 'https://orcid.org');
	assert.deepEqual(foreign, [], name + ' names another origin');
	if (name.endsWith('.js'))
		assert(text.split('\n').length <= 500, name + ' is longer than 500 lines');
}
console.log(keys.length + ' texts in two languages, ' + files.length + ' files');
