// The requests of browsing and searching whose times are compared. Each is made anew, with ids drawn at
// random and a number that no cache knows.

const WORDS = ["fractions", "equations", "plants", "energy", "history", "reading", "geometry", "cells"];

/** @typedef {{topics: string[], units: string[], lessons: string[], leaves: string[], root: string, wide: string, labels: any}} Sample */

/**
 * Looks at a channel on one of the servers; the others have the same.
 * @param {(at: string) => Promise<any>} get @param {string} channel @returns {Promise<Sample>}
 */
export async function sample(get, channel) {
	const { children } = await get(`api/content/contentnode_tree/${channel}/?max_results=50`);
	const topics = children.results.filter((/** @type {any} */ n) => n.kind === "topic");
	const wide = topics.find((/** @type {any} */ n) => n.title.startsWith("Wide")) ?? topics[0];
	/** @type {Sample} */
	const s = {
		topics: topics.map((/** @type {any} */ n) => n.id),
		units: [],
		lessons: [],
		leaves: [],
		root: channel,
		wide: wide.id,
		labels: {},
	};
	for (const { id } of topics.filter((/** @type {any} */ n) => n !== wide).slice(0, 6)) {
		const tree = await get(`api/content/contentnode_tree/${id}/`);
		for (const node of tree.children.results) {
			(node.kind === "topic" ? s.units : s.leaves).push(node.id);
			for (const below of node.children?.results ?? []) {
				(below.kind === "topic" ? s.lessons : s.leaves).push(below.id);
			}
		}
	}
	for (const lesson of s.lessons.slice(0, 40)) {
		const list = await get(`api/content/contentnode/?parent=${lesson}&available=true&max_results=30`);
		s.leaves.push(
			...list.results
				.filter((/** @type {any} */ n) => n.kind !== "topic")
				.map((/** @type {any} */ n) => n.id),
		);
	}
	s.labels = (await get("api/content/contentnode/?max_results=1&available=true")).labels;
	return s;
}

/** @template T @param {T[]} list @returns {T} */
const any = (list) => list[Math.floor(Math.random() * list.length)];
const word = () => any(WORDS);
const label = (/** @type {Sample} */ s, /** @type {string} */ field) =>
	encodeURIComponent(any(s.labels[field]));

/** @type {[string, (s: Sample) => string][]} */
export const ENDPOINTS = [
	["channels", () => "api/content/channel/?available=true"],
	["a channel", (s) => `api/content/channel/${s.root}/`],
	["a node", (s) => `api/content/contentnode/${any(s.leaves)}/`],
	[
		"nodes of a parent",
		(s) =>
			`api/content/contentnode/?parent=${any(s.lessons)}&include_coach_content=true&available=true&max_results=25`,
	],
	[
		"nodes of kinds",
		(s) => `api/content/contentnode/?kind_in=video,audio&channels=${s.root}&max_results=25&available=true`,
	],
	[
		"nodes below one, of a kind",
		(s) =>
			`api/content/contentnode/?descendant_of=${any(s.topics)}&kind=exercise&max_results=25&available=true`,
	],
	[
		"twenty nodes by id",
		(s) => `api/content/contentnode/?ids=${Array.from({ length: 20 }, () => any(s.leaves)).join(",")}`,
	],
	["search: a word", () => `api/content/contentnode/?keywords=${word()}&max_results=25&available=true`],
	[
		"search: two words",
		() =>
			`api/content/contentnode/?keywords=${word()}%20${Math.floor(Math.random() * 20_000)}&max_results=25&available=true`,
	],
	[
		"search: labels",
		(s) =>
			`api/content/contentnode/?learning_activities=${label(s, "learning_activities")}&grade_levels=${label(s, "grade_levels")}&max_results=25&available=true`,
	],
	[
		"search: a word and labels",
		(s) =>
			`api/content/contentnode/?keywords=${word()}&learning_activities=${label(s, "learning_activities")}&categories=${label(s, "categories")}&max_results=25&available=true`,
	],
	["the labels alone", (s) => `api/content/contentnode/?channels=${s.root}&max_results=1&available=true`],
	["search of old", () => `api/content/contentnode_search/?search=${word()}&page_size=30`],
	["tree: the root", (s) => `api/content/contentnode_tree/${s.root}/?include_coach_content=true`],
	["tree: a unit", (s) => `api/content/contentnode_tree/${any(s.units)}/?include_coach_content=true`],
	["tree: a wide topic", (s) => `api/content/contentnode_tree/${s.wide}/?depth=1`],
	["recommendations", (s) => `api/content/contentnode/${any(s.leaves)}/recommendations_for/`],
	["random nodes", () => "api/content/contentnode/random/?max_results=10"],
	["assessments below", (s) => `api/content/contentnode/descendants_assessments/?ids=${any(s.units)}`],
	["to resume", () => "api/content/usercontentnode/?resume=true&max_results=12&ordering=-last_interacted"],
	["popular", () => "api/content/usercontentnode/?popular=true&max_results=12"],
	["progress below", (s) => `api/content/contentnodeprogress/${any(s.units)}/tree/`],
	["what to import", (s) => `api/content/contentnode_granular/${any(s.units)}/`],
	["Learn's home", () => "learn/api/homehydrate/"],
	["Learn's state", () => "learn/api/state/"],
	["public: channels, v2", () => "api/public/v2/channel/"],
	["public: channels, v1", () => "api/public/v1/channels"],
	["public: a node's rows", (s) => `api/public/v2/importmetadata/${any(s.leaves)}/`],
].map(([name, at], i) => [
	/** @type {string} */ (name),
	// the first two are what every page asks, and may be answered from a cache
	(s) => {
		const path = /** @type {(s: Sample) => string} */ (at)(s);
		const number = Math.floor(Math.random() * 2 ** 40);
		return i < 2 ? path : `${path}${path.includes("?") ? "&" : "?"}x=${number}`;
	},
]);
