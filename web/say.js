// The shell's own words, in the language of Kolibri's pages. The code has them in English, which is also
// what they are found by; messages/ has the other languages, named by the primary subtag of Kolibri's ids.

import { RIGHT_TO_LEFT } from "./prefetch.js";

const ENGLISH = { lang: "en", dir: "ltr", words: /** @type {Record<string, string>} */ ({}) };

/** Around what is put in, so that "3 MB" reads from left to right amid words from right to left. */
const [FIRST_STRONG, END_OF_IT] = ["\u2068", "\u2069"];

let spoken = ENGLISH;
let wanted = ENGLISH.lang;

/** Marks words that are said later. @template {string} T @param {T} words @returns {T} */
export const later = (words) => words;

/**
 * @param {string} words in English, with `{name}` for what is put in
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export const say = (words, values = {}) =>
	(spoken.words[words] ?? words).replace(/\{(\w+)\}/g, (whole, name) => {
		const value = values[name];
		if (value === undefined) return whole;
		return spoken.dir === "rtl" ? FIRST_STRONG + value + END_OF_IT : String(value);
	});

/**
 * The same with elements put in.
 * @param {string} words
 * @param {Record<string, Node>} elements
 * @returns {(string | Node)[]}
 */
export const sayWith = (words, elements) =>
	say(words)
		.split(/\{(\w+)\}/)
		.map((part, i) => (i % 2 ? (elements[part] ?? `{${part}}`) : part));

/** What an element is written in whose words are said here. */
export const tongue = () => ({ lang: spoken.lang, dir: spoken.dir });

/**
 * From now on the words are those of a language, if there are any.
 * @param {URL} root
 * @param {import("./build.js").Build} build
 * @param {string} id Kolibri's or the browser's, such as es-419
 * @returns {Promise<boolean>} whether what is on the screen has to be said anew
 */
export async function speak(root, build, id) {
	const lang = id.toLowerCase().split("-")[0];
	if (wanted === lang) return false;
	wanted = lang;
	const file = build.messages[lang];
	let next = ENGLISH;
	if (file) {
		const answer = await fetch(new URL(file, root)).catch(() => null);
		if (!answer?.ok) {
			if (wanted === lang) wanted = spoken.lang; // another time it may be there
			return false;
		}
		next = { lang, dir: RIGHT_TO_LEFT.has(lang) ? "rtl" : "ltr", words: await answer.json() };
	}
	if (wanted !== lang || spoken === next) return false;
	spoken = next;
	return true;
}
