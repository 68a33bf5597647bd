// The part of the storage dialogue about channels that lie beside the app.

import { make } from "../dom.js";
import { say } from "../say.js";
import { size } from "../size.js";

/** @typedef {import("../channels.js").Channels} Channels */
/** @typedef {(progress: (part: number) => void, signal: AbortSignal) => Promise<unknown>} Work */

/** @param {Channels} channels */
export function channelsSection(channels) {
	const content = make("div", {}, make("p", { role: "status" }, say("Looking…")));
	const show = async () => {
		try {
			const [list, part] = await Promise.all([channels.list(), channels.shown(location.hash)]);
			const entries = list.map((channel) => channelEntry(channels, channel, show));
			if (part) entries.unshift(partEntry(channels, part, show));
			content.replaceChildren(
				entries.length ? make("ul", {}, ...entries) : make("p", {}, say("There are none beside this site.")),
			);
		} catch (error) {
			content.replaceChildren(make("p", { role: "status" }, reason(error)));
		}
	};
	show();
	return make(
		"section",
		{},
		make("h3", {}, say("Channels beside this site")),
		make(
			"p",
			{},
			say(
				"They can be used at once; what is opened is then fetched each time. What is made available offline is kept on this device.",
			),
		),
		content,
	);
}

/** @param {any} error */
function reason({ status, message }) {
	if (status === 403 || status === 401)
		return say("Sign in as somebody who may manage channels to see them.");
	if (status === 503) return say("This site cannot be reached now.");
	return say("That did not work: {message}", { message });
}

/**
 * @param {Channels} channels
 * @param {import("../channels.js").Channel} channel
 * @param {() => void} changed
 */
function channelEntry(channels, channel, changed) {
	const { id, name, here, bytes } = channel;
	const keep = action(
		say("Make available offline ({size})", { size: size(bytes) }),
		name,
		changed,
		(progress, signal) => channels.keep(id, name, null, progress, signal),
	);
	const use = action(say("Use without copying"), name, changed, (progress, signal) =>
		channels.use(channel, progress, signal),
	);
	if (!here) return make("li", {}, `${name} (${size(bytes)}) `, use);
	return make("li", {}, `${name} `, bytes ? keep : say("is on this device."));
}

/**
 * @param {Channels} channels
 * @param {import("../channels.js").Part} part
 * @param {() => void} changed
 */
function partEntry(channels, { id, title, channel, channelName, bytes }, changed) {
	const keep = action(
		say("Make available offline ({size})", { size: size(bytes) }),
		title,
		changed,
		(progress, signal) => channels.keep(channel, channelName, id, progress, signal),
	);
	return make(
		"li",
		{},
		say("What is open now: “{title}”", { title }),
		" ",
		bytes ? keep : say("is on this device."),
	);
}

/**
 * A button that becomes a progress bar while its work runs.
 * @param {string} label
 * @param {string} about
 * @param {() => void} changed
 * @param {Work} work
 */
function action(label, about, changed, work) {
	const place = make("span");
	const start = async () => {
		const stop = new AbortController();
		const bar = make("progress", { max: 1, value: 0, "aria-label": `${label}: ${about}` });
		place.replaceChildren(bar, " ", make("button", { onclick: () => stop.abort() }, say("Cancel")));
		try {
			await work((part) => {
				bar.value = part;
			}, stop.signal);
			changed();
		} catch (error) {
			place.replaceChildren(button, make("p", { role: "alert" }, reason(error)));
		}
	};
	const button = make("button", { "aria-label": `${label}: ${about}`, onclick: start }, label);
	place.append(button);
	return place;
}
